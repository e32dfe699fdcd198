"""Findings in words, each derived from figures of the report: server against server, process model and strategy against their like."""

from . import figures
from .figures import compared, estimate, label, name_of, number, times
from .tables import one_and_many
from .verdicts import Verdict, in_run, verdicts  # noqa: F401  the other half of what is said in words

# Families of the article's endpoints that do the same work in different ways.
FAMILIES = (
    ('raw uploads', ('upload/stream/async_read_and_disk_write', 'upload/stream/async_read_and_async_write')),
    ('form-data uploads', ('upload/single', 'upload/single/sync', 'upload/single/stream', 'upload/single/stream/async_read_sync_write',
                           'upload/single/stream/sync_read_sync_write')),
    ('downloads', ('download/stream/sync_read', 'download/stream/async_read', 'download/file', 'download/file/sync')))


def findings(report):
    """Sentences, in the order in which they matter; none when there is nothing to compare."""
    return [sentence for _, sentences in grouped(report) for sentence in sentences]


def grouped(report):
    """[(heading, sentences)] of the findings, those without any left out."""
    rows = [row for row in figures.at_reference(report) if row.cell.server != figures.FLOOR]
    opened = [row for row in report.rows if row.cell.tool == 'open' and row.cell.server != figures.FLOOR]
    doubted = figures.unaccounted(report)
    groups = (('Forklift against its peers', _against_peers(rows, doubted)), ('Latency at a fixed rate', _at_fixed_rates(opened)),
              ('One process against many', _processes(report, doubted)),
              ('Strategy against strategy', _strategies([row for row in rows if row.cell not in doubted])),
              ('Below the floor', _below_floor(report)), ('Not counted', _spoilt(report)), ('How sure this is', sureness(report)))
    return [(heading, sentences) for heading, sentences in groups if sentences]


def _against_peers(rows, doubted):
    """Forklift against each peer, as one process and as the most that were measured."""
    said = []
    for peer in sorted({row.cell.server for row in rows} - {'forklift'}, key=figures.server_order):
        counts = {row.cell.workers for row in rows if row.cell.server == peer}
        for workers in sorted({min(counts), max(counts)}):
            pairs = _pairs(rows, peer, workers)
            costs = [(mine.cell.endpoint, compared(theirs, mine, 'cpu_us')) for mine, theirs in pairs if doubted.isdisjoint((mine.cell, theirs.cell))]
            rates = [(mine.cell.endpoint, compared(mine, theirs, 'rate')) for mine, theirs in pairs
                     if not mine.bound_by and not theirs.bound_by]
            won, lost = 'Forklift beats it by {}', 'it beats Forklift by {}'
            said += _sentence(_names(pairs), [_outcome(costs, won, lost, 'CPU per request'), _outcome(rates, won, lost, 'requests/s')])
    return said


def _at_fixed_rates(rows):
    """Forklift's p99 against each peer's, with as many processes at the same rate: figures that no waiting client has flattered."""
    said = []
    for peer in sorted({row.cell.server for row in rows} - {'forklift'}, key=figures.server_order):
        for rate, workers in sorted({(row.cell.rate, row.cell.workers) for row in rows if row.cell.server == peer}):
            pairs = _pairs([row for row in rows if row.cell.rate == rate], peer, workers)
            found = [(mine.cell.endpoint, compared(theirs, mine, 'p99_ms')) for mine, theirs in pairs]
            said += _sentence(f'{_names(pairs)}, {rate:g} requests/s',
                              [_outcome(found, 'Forklift beats it by {}', 'it beats Forklift by {}', 'p99 latency')])
    return said


def _pairs(rows, peer, workers):
    """[(Forklift's row, the peer's)] of the same work and durability class. One process is Forklift's worker alone wherever that was measured, as in README's table."""
    pairs = []
    for theirs in rows:
        if theirs.cell.server != peer or theirs.cell.workers != workers:
            continue
        mine = [row for row in rows if row.cell.server == 'forklift' and row.cell.workers == workers
                and (row.cell.endpoint, row.cell.durability, row.cell.bytes) == (
                    theirs.cell.endpoint, theirs.cell.durability, theirs.cell.bytes)]
        if mine:
            pairs.append((max(mine, key=lambda row: row.cell.model == 'alone'), theirs))
    return pairs


def _names(pairs):
    """'Forklift alone and nginx ×1'."""
    return ' and '.join(' or '.join(dict.fromkeys(label(pair[side].cell) for pair in pairs)) for side in (0, 1))


def _sentence(who, outcomes):
    """One sentence of up to two outcomes; the winner is not named twice."""
    said = [outcome for outcome in outcomes if outcome]
    winners = [outcome.partition(' by ')[0] for outcome in said]
    if len(said) == 2 and winners[0] == winners[1]:
        said[1] = said[1].removeprefix(winners[1] + ' ')
    return [f'{who}: {"; ".join(said)}.'] if said else []


def _outcome(found, won, lost, what):
    """found: [(endpoint, Estimate of how much better the first is, or None)] into words about `what`; '' when there is nothing."""
    found = [(endpoint, ratio) for endpoint, ratio in found if ratio]
    if not found:
        return ''
    if any(ratio.count < 2 for _, ratio in found):
        return f'{what} differ by {_span(found)}, from one run each: the noise is not known'
    better = [(endpoint, ratio) for endpoint, ratio in found if ratio.sign > 0]
    worse = [(endpoint, _Inverse(ratio)) for endpoint, ratio in found if ratio.sign < 0]
    same = [endpoint for endpoint, ratio in found if not ratio.sign]
    parts = [f'{won.format(_span(better))} in {what}'] if better else []
    parts += [f'{lost.format(_span(worse))} in {what}'] if worse else []
    parts += [f'no difference outside the noise in {what}' + (f' at {_list(same, len(found))}' if parts else '')] if same else []
    return ', '.join(parts)


class _Inverse:
    """1 ÷ an Estimate."""

    def __init__(self, found):
        self.median, self.low, self.high, self.count = 1 / found.median, 1 / found.high, 1 / found.low, found.count


def _span(found):
    """'1.31 ± 0.04× (upload/single)' or '1.31 ± 0.04× (upload/single) to 7.9 ± 0.2× (download/file)'."""
    ordered = sorted(found, key=lambda pair: pair[1].median)
    ends = ordered if len(ordered) == 1 else [ordered[0], ordered[-1]]
    return ' to '.join(f'{times(ratio)} ({endpoint})' for endpoint, ratio in ends)


def _list(names, of=0):
    """The names, or of many how many they are."""
    if len(names) > 3 and of:
        return f'{len(names)} of {of} endpoints'
    return names[0] if len(names) == 1 else f'{", ".join(names[:-1])} and {names[-1]}'


def _processes(report, doubted):
    """The largest fleet of each server against one process of it."""
    by_server = {}
    for one, many in one_and_many(report):
        by_server.setdefault(many.cell.server, []).append((one, many))
    said = []
    for server, pairs in sorted(by_server.items(), key=lambda item: figures.server_order(item[0])):
        workers = max(many.cell.workers for _, many in pairs)
        pairs = [(one, many) for one, many in pairs if many.cell.workers == workers]
        shared = any(run.shared_cores for _, many in pairs for run in many.runs)
        rates = [(many.cell.endpoint, compared(many, one, 'rate')) for one, many in pairs if not one.bound_by and not many.bound_by]
        costs = [(many.cell.endpoint, compared(one, many, 'cpu_us')) for one, many in pairs if doubted.isdisjoint((one.cell, many.cell))]
        won, lost = f'{workers} processes beat one by {{}}', f'one beats {workers} by {{}}'
        said += _sentence(name_of(server) + (', with the client on the same cores' if shared else ''),
                          [_outcome(rates, won, lost, 'requests/s'), _outcome(costs, won, lost, 'CPU per request')])
    return said


def _strategies(rows):
    """Within a family of endpoints: the cheapest, who is level with it, and what the dearest costs."""
    said = []
    for server in sorted({row.cell.server for row in rows}, key=figures.server_order):
        # the smallest fleet: its figures are the cleanest
        fleets = sorted({(row.cell.workers, row.cell.model) for row in rows if row.cell.server == server})[:1]
        for family, names in FAMILIES:
            mine = [row for row in rows if row.cell.server == server and row.cell.endpoint in names and row.state == 'ok'
                    and (row.cell.workers, row.cell.model) in fleets and row.cell.durability in ('page cache', 'read')]
            if len(mine) > 1:
                said.append(f'{name_of(server)}, {family}, CPU per request: {_cheapest(mine)}.')
    return said


def _cheapest(rows):
    ordered = sorted(rows, key=lambda row: estimate(row, 'cpu_us').median)
    best = ordered[0]
    costs = [(row.cell.endpoint, compared(row, best, 'cpu_us')) for row in ordered[1:]]
    costs = [(endpoint, ratio) for endpoint, ratio in costs if ratio]
    start = f'{best.cell.endpoint} is the cheapest ({number(estimate(best, "cpu_us").median)} µs)'
    if not costs or any(ratio.count < 2 for _, ratio in costs):
        return f'{start} from one run each; the noise is not known'
    same = [endpoint for endpoint, ratio in costs if ratio.sign <= 0]
    dearer = [(endpoint, ratio) for endpoint, ratio in costs if ratio.sign > 0]
    if not dearer:
        return f'no difference outside the noise ({_list([row.cell.endpoint for row in ordered])})'
    level = f', {_list(same)} {"is" if len(same) == 1 else "are"} level with it' if same else ''
    return f'{start}{level}; it beats the other{"s" if len(dearer) > 1 else ""} by {_span(dearer)}'


def sureness(report):
    """What an interval of few runs is worth; nothing where it is worth the 95 % that it is meant to be."""
    fewest = min((len(row.runs) for row in report.rows if row.state == 'ok' and len(row.runs) > 1), default=figures.RUNS_ENOUGH)
    if fewest >= figures.RUNS_ENOUGH:
        return []
    return [f'With {fewest} runs of each row, an interval is their range: by chance alone, {figures.chance(fewest):.0%} of all ratios between '
            f'equals lie wholly beside 1, and are called a difference here (--repeats {figures.RUNS_ENOUGH}: 5% at most).'.replace('%', ' %')]


def _below_floor(report):
    """Whose CPU per request must not be read alone."""
    words = {True: 'less server CPU than a C program that does nothing else; with their clients\' they come to no less than it and its client, so '
                   'part of the work is done on the client\'s time',
             False: 'less CPU than a C program that does nothing else, even with their clients\': work is missing or not accounted for, so '
                    'they have no rank in CPU'}
    found = {}
    for row in report.rows:
        below = figures.below_floor(report, row)
        if below:
            found.setdefault(below.accounted, {}).setdefault(label(row.cell), []).append(row.cell.endpoint)
    return [_list([f'{name} ({_list(list(dict.fromkeys(endpoints)))})' for name, endpoints in found[accounted].items()]) + f': {words[accounted]}.'
            for accounted in (True, False) if accounted in found]


def _spoilt(report):
    """What must not be overlooked: how many rows are INVALID, skipped or were not reached."""
    states = [row.state for row in report.rows]
    words = (('INVALID', 'INVALID'), ('skipped', 'skipped'), ('missing', 'not reached'))
    counts = [f'{states.count(state)} {word}' for state, word in words if state in states]
    return [f'Of {len(states)} rows, {_list(counts)}: they are shown with the reason, and counted nowhere.'] if counts else []
