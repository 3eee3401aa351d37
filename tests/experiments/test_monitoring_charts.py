"""Where the marks of the monitoring charts go, and what the page says of figures that are not there."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from experiments.monitoring.page import page_of
from experiments.monitoring.quality_table import quality_lines
from experiments.monitoring.report import Measured, OverTime, Promoted, Summary
from experiments.monitoring.time_axis import LEFT, RIGHT, Axis, axis_of
from experiments.monitoring.time_charts import BOTTOM, TOP, Chart, confidence, counts, latency, round_levels

START = datetime(2026, 3, 2, tzinfo=UTC)


def summary(buckets: int = 4, window: str = "24h") -> Summary:
    """Of four buckets of six hours, of which so many were reached."""
    starts = [START + timedelta(hours=6) * place for place in range(buckets)]
    return Summary(window, START, START + timedelta(days=1), START + timedelta(days=1), 6 * 3600, starts, [])


def axis(*promotions: Promoted, buckets: int = 4) -> Axis:
    return axis_of(summary(buckets), promotions)


def promoted(hours: float, to: int, kind: str = "promote") -> Promoted:
    return Promoted(START + timedelta(hours=hours), kind, to - 1, to)


def over(*p50: float | None, p99: float | None = None) -> OverTime:
    nothing = [0] * len(p50)
    return OverTime(nothing, nothing, nothing, list(p50), list(p50), [p99 or value for value in p50])


def drawn(chart: Chart | None) -> Chart:
    assert chart
    return chart


def heights(d: str) -> list[float]:
    """Of the steps of a line."""
    return [float(y) for y in re.findall(r"(?:M[\d.]+ |V)([\d.]+)H", d)]


def bars(d: str) -> list[tuple[float, ...]]:
    """Left edge, foot, top and width of each."""
    return [tuple(map(float, one)) for one in re.findall(r"M([\d.]+) ([\d.]+)V([\d.]+)h([\d.]+)V\2z", d)]


def test_buckets_stand_side_by_side_from_the_start_of_the_window_to_its_end() -> None:
    found = axis()
    assert found.width == pytest.approx((RIGHT - LEFT) / 4)
    assert found.middles == pytest.approx([LEFT + found.width * (place + 0.5) for place in range(4)], abs=0.01)
    assert [(one.at, one.text) for one in found.times] == [
        (18.0, "00:00"), (36.5, "06:00"), (55.0, "12:00"), (73.5, "18:00"), (92.0, "00:00"),
    ]  # fmt: skip
    assert len(axis(buckets=2).middles) == 2


def test_weeks_are_named_by_their_days() -> None:
    assert axis_of(summary(window="7d"), []).times[0].text == "2 Mar"


def test_promotions_are_named_where_there_is_room() -> None:
    marks = axis(promoted(6, 2), promoted(7, 3), promoted(12, 2, "rollback"), promoted(23.9, 3)).marks
    assert [one.text for one in marks] == ["to 2", "", "back to 2", "to 3"]
    assert [one.anchor for one in marks] == ["start", "start", "start", "end"]
    assert marks[0].at == 36.5 and marks[2].at == 55.0


def test_names_of_promotions_do_not_lie_upon_each_other() -> None:
    marks = axis(*(promoted(hours, 10 + hours) for hours in range(24))).marks
    named = [one for one in marks if one.text]
    assert 2 <= len(named) <= 10 and len(marks) == 24
    spans = [(one.at - 11, one.at) if one.anchor == "end" else (one.at, one.at + 11) for one in named]
    assert all(end <= start for (_, end), (start, _) in pairwise(spans))
    assert all(start >= 0 and end <= 100 for start, end in spans)


def test_latency_is_a_line_a_quantile_on_a_logarithmic_scale() -> None:
    chart = drawn(latency("it", over(1.0, 10.0, 10.0, 100.0), axis()))
    assert [one.kind for one in chart.paths] == ["p50", "p95", "p99"]
    one, ten, still, hundred = heights(chart.paths[0].d)
    assert one == BOTTOM and ten == still
    assert one - ten == pytest.approx(ten - hundred, abs=0.02), "ten times is as far each time"
    assert [one.text for one in chart.ticks] == ["1 ms", "10 ms", "100 ms"]
    assert all(TOP <= one.at <= BOTTOM for one in chart.ticks)


def test_a_line_is_broken_where_nothing_is_known_and_a_lone_bucket_is_as_wide_as_it_lasts() -> None:
    chart = drawn(latency("it", over(None, 5.0, None, 7.0), axis()))
    d = chart.paths[0].d
    assert [(float(left), float(right)) for left, right in re.findall(r"M([\d.]+) [\d.]+H([\d.]+)", d)] == [
        (36.5, 55.0), (73.5, 92.0)
    ]  # fmt: skip
    assert "V" not in d
    assert latency("it", over(None, None), axis(buckets=2)) is None
    assert latency("it", over(), axis(buckets=0)) is None


@pytest.mark.parametrize(
    ("low", "high", "levels"),
    [
        (3.1, 4.2, [2, 5]),
        (5, 5, [5, 10]),
        (0.05, 0.05, [0.05, 0.1]),
        (1, 60_000, [1, 100_000]),
        (1000, 1000, [1000, 2000]),
    ],
)
def test_levels_enclose_what_is_drawn(low: float, high: float, levels: list[float]) -> None:
    found = round_levels(low, high)
    assert [found[0], found[-1]] == levels
    assert found == sorted(set(found))


def test_counts_stand_upon_each_other_and_the_highest_reaches_the_top() -> None:
    chart = drawn(counts("Errors", "it", "", {"errors": [1, 0, 2, 0], "fallbacks": [1, 0, 2, 3]}, axis()))
    errors, fallbacks = (bars(one.d) for one in chart.paths)
    assert [len(errors), len(fallbacks)] == [2, 3]
    assert errors[1][1] == BOTTOM and errors[1][2] == fallbacks[1][1] == (TOP + BOTTOM) / 2 and fallbacks[1][2] == TOP
    assert [one.text for one in chart.ticks] == ["4"]
    assert counts("Errors", "it", "", {"errors": [0, 0], "fallbacks": [0, 0]}, axis(buckets=2)) is None
    assert counts("Errors", "it", "", {"errors": []}, axis(buckets=0)) is None


def test_confidence_is_a_bar_a_part_that_has_any() -> None:
    found = bars(drawn(confidence("it", [0] * 10 + [2] + [0] * 8 + [4])).paths[0].d)
    assert [one[2] for one in found] == [(TOP + BOTTOM) / 2, TOP]
    assert found[0][0] < 58 < found[0][0] + found[0][3] and found[1][0] + found[1][3] <= RIGHT
    assert confidence("it", [0] * 20) is None


@pytest.mark.parametrize(
    ("minutes", "said"),
    [(4, ""), (5, ""), (6, "6 minutes"), (119, "119 minutes"), (120, "2 hours"), (99_999, "1,666 hours")],
)
def test_figures_are_late_after_some_minutes(minutes: int, said: str) -> None:
    found = summary()
    assert found.as_of
    assert page_of(found, found.as_of + timedelta(minutes=minutes)).late == said


def test_quality_is_told_by_version_name_and_length_of_time() -> None:
    def of(version: int, name: str, hours: int, estimated: bool) -> Measured:
        ends = START + timedelta(days=9)
        return Measured(version, name, 0.5, 7, estimated, None, None, ends - timedelta(hours=hours), ends, ends)

    lines = quality_lines([of(1, "b", 24, False), of(2, "a", 168, True), of(2, "a", 24, True), of(2, "a", 24, False)])
    assert [(one.version, one.name, one.over, one.measured, one.estimated) for one in lines] == [
        (2, "a", "24 h", "0.5", "0.5"), (2, "a", "7 d", "-", "0.5"), (1, "b", "24 h", "0.5", "-"),
    ]  # fmt: skip
    assert [one.estimated_on for one in lines] == ["7", "7", "-"]
