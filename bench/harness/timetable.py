"""How long a plan takes, in seconds on an idle machine: loads, and what start-up, checks and wiping add to them."""

import ceilings

BEGIN_S = 5.0        # versions, environment, the report at the end
TOUCH_S = 3.0        # of the memory that a file system in memory will use
DISK_S = 2.0         # of a disk's ceiling
FLOOR_BESIDE_S = 0.8  # a run of a floor program takes so much beside its load
RUN_BESIDE_S = 1.2   # a run takes so much beside warm-up and load: start, checks, wiping


def run_s(plan, load_s):
    """One run of a cell."""
    return plan.warm_up_s + load_s + RUN_BESIDE_S


def floor_s(plan):
    """The ceiling of one floor program."""
    return ceilings.REPEATS * (min(ceilings.LOAD_S_MAX, plan.seconds[0]) + FLOOR_BESIDE_S)


def ceilings_s(plan, cells):
    """All ceilings of these cells."""
    return DISK_S * len({cell.bytes for cell in cells}) + floor_s(plan) * len(ceilings.floors_of(cells))


def whole_s(plan):
    """All of it, where no load is cut short; open loops that depend on what is measured left out."""
    return BEGIN_S + TOUCH_S + ceilings_s(plan, plan.cells) + plan.repeats * len(plan.cells) * run_s(plan, plan.seconds[1])
