"""Medians, intervals, ratios and histograms, against brute force."""

import itertools
import math
import random
from fractions import Fraction
from statistics import median

import pytest

import support  # noqa: F401: the way to the harness
import stats


def rank_of(low, high, count):
    """The order statistics that an interval of the values 0 … count-1 is made of, counted from either end."""
    return low, count - 1 - high


@pytest.mark.parametrize('count', range(6, 40))
def test_the_interval_of_a_median_covers_95_percent_and_is_the_shortest_that_does(count):
    left, right = rank_of(*stats.median_interval(range(count)), count)
    assert left == right

    def outside(rank):  # the median lies below the rank-th of `count` values: at most `rank` tails in `count` coins
        return 2 * Fraction(sum(math.comb(count, heads) for heads in range(rank + 1)), 2 ** count)
    assert outside(left) <= Fraction(5, 100) < outside(left + 1)


@pytest.mark.parametrize('count', range(1, 6))
def test_the_interval_of_a_few_values_is_their_range(count):
    values = random.Random(count).sample(range(100), count)
    assert stats.median_interval(values) == (min(values), max(values))


@pytest.mark.parametrize('pairs', [[[-1, 3]], [[1 << 40, 3]], [[5, -1]]])
def test_a_histogram_has_no_bucket_that_there_is_not(pairs):
    with pytest.raises(ValueError, match='bucket'):
        stats.Histogram.from_list(pairs)


def test_an_estimate_is_the_median_in_its_interval():
    estimate = stats.Estimate([5, 1, 4, 2, 3])
    assert (estimate.low, estimate.median, estimate.high, estimate.count) == (1, 3, 5, 5)


def test_a_ratio_is_taken_pair_by_pair():
    weather = [1, 10, 2, 7, 100]
    ratio = stats.ratio([3 * value for value in weather], weather)
    assert (ratio.low, ratio.median, ratio.high) == (3, 3, 3)


@pytest.mark.parametrize('left,right', [(1, 1), (2, 2), (3, 3), (2, 5), (3, 4), (4, 4), (5, 4), (5, 5), (6, 3), (6, 6)])
def test_the_interval_of_independent_ratios_covers_what_it_says_and_is_the_shortest_for_95_percent(left, right):
    """All orders of equally distributed runs are equally likely: the share of those whose interval holds 1 is the coverage."""
    held, below = 0, []
    for chosen in itertools.combinations(range(left + right), left):
        over = [2.0 ** place for place in chosen]
        under = [2.0 ** place for place in range(left + right) if place not in chosen]
        found = stats.IndependentRatio(over, under)
        held += found.low <= 1 <= found.high
        below.append(sum(a < b for a in over for b in under))
    coverages = [1 - 2 * sum(count <= rank for count in below) / len(below) for rank in range(left * right // 2)]
    enough = [coverage for coverage in coverages if coverage >= 0.95 - 1e-9]
    assert held / len(below) == pytest.approx(found.coverage) == pytest.approx(min(enough) if enough else 1 - 2 / len(below))


def test_the_interval_of_independent_ratios_holds_a_planted_ratio_95_times_in_100():
    rng, held, rounds = random.Random(7), 0, 2000
    for _ in range(rounds):
        under = [rng.lognormvariate(0, 0.1) for _ in range(5)]
        over = [1.3 * rng.lognormvariate(0, 0.1) for _ in range(5)]
        found = stats.IndependentRatio(over, under)
        held += found.low <= 1.3 <= found.high
        assert found.low <= found.median <= found.high
    assert abs(held / rounds - found.coverage) < 4 * math.sqrt(0.95 * 0.05 / rounds)


def test_a_bucket_holds_its_value_within_a_sixty_fourth():
    values = list(range(1000)) + [random.Random(3).randrange(1, 2 ** 40) for _ in range(5000)]
    values += [2 ** power + offset for power in range(7, 40) for offset in (-1, 0, 1)]
    for value in values:
        shown = stats.Histogram.value_of(stats.Histogram.index_of(value))
        assert abs(shown - value) <= value / 128
        if value < 128:
            assert shown == value


def test_buckets_are_in_the_order_of_their_values_without_gaps():
    indexes = [stats.Histogram.index_of(value) for value in range(100000)]
    assert sorted(set(indexes)) == list(range(indexes[-1] + 1)) and indexes == sorted(indexes)


@pytest.mark.parametrize('count', [1, 2, 3, 10, 99, 100, 101, 5000])
@pytest.mark.parametrize('percent', [0, 1, 50, 90, 95, 99, 99.9, 99.99, 100])
def test_percentiles_are_those_of_the_sorted_values(count, percent):
    rng = random.Random(count)
    values = [round(rng.lognormvariate(7, 2)) for _ in range(count)]
    histogram = stats.Histogram()
    for value in values:
        histogram.add(value)
    rank = max(1, math.ceil(Fraction(str(percent)) * count / 100))
    assert histogram.percentile(percent) == pytest.approx(sorted(values)[rank - 1], rel=1 / 100, abs=0)
    assert histogram.mean() == pytest.approx(sum(values) / count, rel=1 / 100)
    assert histogram.total == count


def test_an_empty_histogram_has_no_percentiles_and_no_mean():
    empty = stats.Histogram()
    assert (empty.percentile(99), empty.mean(), empty.total) == (0, 0, 0)


def test_histograms_merge_and_come_back_from_their_list():
    rng, whole, parts = random.Random(5), stats.Histogram(), [stats.Histogram(), stats.Histogram()]
    for _ in range(1000):
        value, count = rng.randrange(1, 10 ** 6), rng.randrange(1, 4)
        whole.add(value, count)
        rng.choice(parts).add(value, count)
    merged = stats.Histogram.from_list(parts[0].to_list())
    merged.merge(parts[1])
    assert merged.to_list() == whole.to_list() == sorted(whole.to_list())
    assert merged.percentile(50) == whole.percentile(50)
    assert parts[0].total + parts[1].total == whole.total


def test_the_median_of_independent_ratios_is_that_of_all_ratios():
    assert stats.IndependentRatio([6, 2], [1, 2]).median == median([6, 3, 2, 1])
