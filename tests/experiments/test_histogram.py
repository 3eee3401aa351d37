"""Histograms of latency and confidence: bins, quantiles to the bin, and merging by adding."""

import math

import numpy as np
import pytest
from django.db import connection

from experiments.monitoring.histogram import CONFIDENCE, LATENCY, LONGEST, SHORTEST, added, packed, quantiles

LEVELS = (0.5, 0.95, 0.99)
WIDEST = 0.024  # a bin over its lower edge


def draws(seed: int, count: int = 10_000) -> np.ndarray:
    """Latencies in ms, some beyond both ends."""
    return np.random.default_rng(seed).lognormal(2, 2.5, count)


def counted(values: np.ndarray) -> np.ndarray:
    return np.bincount(LATENCY.of(values), minlength=LATENCY.size)


def test_bins_of_latency_are_as_wide_as_they_say_all_the_way() -> None:
    edges = np.array(LATENCY.edges)
    widths = edges[1:] / edges[:-1] - 1
    assert (edges[0], edges[-1]) == (SHORTEST, pytest.approx(LONGEST))
    assert widths.min() > 0.02
    assert widths.max() < WIDEST


def test_a_value_lies_in_the_bin_between_its_edges() -> None:
    edge = LATENCY.edges[300]
    below, above = math.nextafter(edge, 0), math.nextafter(edge, 1e9)
    assert LATENCY.of([below, edge, above]).tolist() == [300, 301, 301]
    assert LATENCY.of([0.0, SHORTEST / 2, 1e9]).tolist() == [0, 0, LATENCY.size - 1]
    assert CONFIDENCE.of([0, 0.049, 0.05, 0.5, 0.95, 1.0]).tolist() == [0, 0, 1, 10, 19, 19]
    assert CONFIDENCE.size == 20


@pytest.mark.django_db
@pytest.mark.parametrize("bins", [LATENCY, CONFIDENCE], ids=["latency", "confidence"])
def test_postgres_puts_every_value_into_the_same_bin(bins: object) -> None:
    edges = list(bins.edges)
    near = [math.nextafter(edge, to) for edge in edges for to in (-1, 1e9)]
    values = [*edges, *near, *draws(1).tolist(), *np.random.default_rng(2).random(10_000).tolist(), 0.0, -1.0, 1e300]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT width_bucket(value, %s::float8[]) FROM unnest(%s::float8[]) WITH ORDINALITY AS a (value, place)"
            " ORDER BY place",
            [edges, values],
        )
        assert [row[0] for row in cursor.fetchall()] == bins.of(values).tolist()


@pytest.mark.parametrize("count", [1, 2, 3, 20, 1_000, 10_000])
def test_a_quantile_is_exact_to_the_bin(count: int) -> None:
    values = draws(3, count)
    found = quantiles(counted(values)[None], LEVELS)[0]
    exact = np.quantile(values, LEVELS, method="lower")
    assert found.tolist() == LATENCY.middles[LATENCY.of(exact)].tolist()


def test_a_quantile_is_at_most_half_a_bin_off() -> None:
    values = draws(4).clip(SHORTEST, LONGEST * 0.99)
    found = quantiles(counted(values)[None], LEVELS)[0]
    exact = np.quantile(values, LEVELS, method="lower")
    assert (abs(found / exact - 1) <= WIDEST / 2).all()


def test_what_stands_for_a_bin_is_as_far_off_at_both_of_its_edges() -> None:
    low, high, middle = np.array(LATENCY.edges[:-1]), np.array(LATENCY.edges[1:]), LATENCY.middles[1:-1]
    assert np.allclose(middle / low - 1, 1 - middle / high)
    assert LATENCY.middles[0] == SHORTEST


def test_an_empty_histogram_has_no_quantile() -> None:
    found = quantiles(np.array([counted(np.array([])), counted(np.array([7.0]))]), LEVELS)
    assert np.isnan(found[0]).all()
    assert found[1] == pytest.approx([7.0] * 3, rel=WIDEST / 2)


def test_histograms_added_up_are_the_histogram_of_all() -> None:
    parts = [draws(seed, 500 + seed) for seed in range(6)]
    together = added(LATENCY, [packed(counted(one)) for one in parts], [0, 1, 0, 1, 0, 1], 3)
    assert together[0].tolist() == counted(np.concatenate(parts[::2])).tolist()
    assert together[1].tolist() == counted(np.concatenate(parts[1::2])).tolist()
    assert not together[2].any()
    again = added(LATENCY, [packed(together[0]), packed(together[1])], [0, 0], 1)
    assert again[0].tolist() == counted(np.concatenate(parts)).tolist()


def test_nothing_added_up_is_nothing() -> None:
    assert not added(LATENCY, [], [], 2).any()
    assert added(LATENCY, [], [], 0).shape == (0, LATENCY.size)
    assert quantiles(added(LATENCY, [], [], 0), LEVELS).shape == (0, 3)
    assert packed(counted(np.array([]))) == b""


def test_counts_of_millions_are_kept() -> None:
    counts = np.zeros(LATENCY.size, np.int64)
    counts[[0, 350, LATENCY.size - 1]] = 1, 2**31 - 1, 3
    assert added(LATENCY, [packed(counts)] * 4, [0] * 4, 1)[0].tolist() == (4 * counts).tolist()


@pytest.mark.django_db
def test_postgres_packs_a_histogram_in_the_same_bytes() -> None:
    counts = counted(draws(5))
    bins = np.flatnonzero(counts)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT string_agg(int2send(bin::int2) || int4send(n::int4), ''::bytea ORDER BY bin)"
            " FROM unnest(%s::int[], %s::int[]) AS a (bin, n)",
            [bins.tolist(), counts[bins].tolist()],
        )
        assert bytes(cursor.fetchone()[0]) == packed(counts)
