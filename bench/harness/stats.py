"""Medians, intervals and histograms: what may be said about figures that vary."""

import math
from functools import lru_cache
from statistics import median


def median_interval(values):
    """A 95 % interval of the median from order statistics: no assumption about the distribution. Fewer than six values: their range."""
    ordered, count = sorted(values), len(values)
    outside, term, rank = 0.0, 0.5 ** count, 0
    while outside + term <= 0.025:  # binomial tail below rank
        outside += term
        term = term * (count - rank) / (rank + 1)
        rank += 1
    return (ordered[rank - 1], ordered[count - rank]) if rank else (ordered[0], ordered[-1])


class Estimate:
    """A median with its 95 % interval."""

    def __init__(self, values):
        values = list(values)
        self.median, self.count = median(values), len(values)
        self.low, self.high = median_interval(values)


def ratio(over, under):
    """The Estimate of a ratio from runs that were made by turns: pair by pair, as the n-th of both met the same weather."""
    return Estimate(a / b for a, b in zip(over, under))


class IndependentRatio:
    """How much larger one figure is than another, from runs that are no pairs (of two reports): median and 95 % interval.

    The interval is of the ranks of all ratios (Mann and Whitney's test turned round): exact for any distribution, as long as one
    figure is a multiple of the other, and without random numbers. With too few runs for 95 % it is their range, and `coverage` is
    what that is worth: 0.9 for three runs against three, 0.67 for two against two, 0 for one against one.
    """

    def __init__(self, over, under):
        over, under = list(over), list(under)
        ratios = sorted(a / b for a in over for b in under)
        rank, self.coverage = _rank_of_interval(len(over), len(under))
        self.median, self.low, self.high = median(ratios), ratios[rank], ratios[-1 - rank]


def _rank_of_interval(left, right):
    """(how many of left × right ordered ratios to leave out at either end for 95 %, what that really covers)."""
    total, rank = math.comb(left + right, left), 0
    outside = _orders(left, right, 0)
    while 2 * (outside + _orders(left, right, rank + 1)) <= 0.05 * total:
        rank += 1
        outside += _orders(left, right, rank)
    return rank, 1 - 2 * outside / total


@lru_cache(None)
def _orders(left, right, swaps):
    """Of all orders of `left` and `right` things, those in which `swaps` pairs stand the other way round."""
    if swaps < 0:
        return 0
    if not left or not right:
        return int(swaps == 0)
    return _orders(left - 1, right, swaps - right) + _orders(left, right - 1, swaps)


class Histogram:
    """Counts of positive whole numbers (microseconds here) in log-linear buckets: 64 to a power of two, so within 1.6 %.

    The same buckets as the load generator's (bench/load/histogram.h): an index below 128 is the value itself; above, each power of
    two has 64 buckets. Kept and sent as [[index, count], ...] in the order of the index.
    """

    SUB_BITS = 6
    INDEX_MAX = 64 << 6  # beyond 64 bits

    def __init__(self):
        self.counts = {}

    @classmethod
    def index_of(cls, value):
        shift = max(value.bit_length() - cls.SUB_BITS - 1, 0)
        return (shift << cls.SUB_BITS) + (value >> shift)

    @classmethod
    def value_of(cls, index):
        """The middle of a bucket."""
        shift = max((index >> cls.SUB_BITS) - 1, 0)
        base = index - (shift << cls.SUB_BITS)
        return (base << shift) + ((1 << shift) - 1) / 2

    def add(self, value, count=1):
        index = self.index_of(max(0, int(value)))
        self.counts[index] = self.counts.get(index, 0) + count

    def merge(self, other):
        for index, count in other.counts.items():
            self.counts[index] = self.counts.get(index, 0) + count

    @property
    def total(self):
        return sum(self.counts.values())

    def percentile(self, percent):
        """The value that `percent` of all are not above; 0 when there are none."""
        left = math.ceil(self.total * percent / 100)
        for index in sorted(self.counts):
            left -= self.counts[index]
            if left <= 0:
                return self.value_of(index)
        return 0.0

    def mean(self):
        total = self.total
        return sum(self.value_of(index) * count for index, count in self.counts.items()) / total if total else 0.0

    def to_list(self):
        return [[index, self.counts[index]] for index in sorted(self.counts)]

    @classmethod
    def from_list(cls, pairs):
        histogram = cls()
        histogram.counts = {int(index): int(count) for index, count in pairs}
        if not all(0 <= index <= cls.INDEX_MAX and count >= 0 for index, count in histogram.counts.items()):
            raise ValueError('a histogram has a bucket that there is not')
        return histogram
