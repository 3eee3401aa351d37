"""Where the marks of the charts of an A/B test go."""

from datetime import date, timedelta

import pytest

from experiments.charts import Forest, Scale, forest, round_numbers
from experiments.day_charts import Daily, daily, traffic
from experiments.results.figures import Lift
from experiments.results.judging import DailyLift

DAY = date(2026, 3, 2)


def text(value: float) -> str:
    return f"{value:g}"


def lift(estimate: float, once: float, often: float) -> Lift:
    """With intervals that reach so far to both sides."""
    ends = (estimate - once, estimate + once, 0.5, estimate - often, estimate + often, 0.5)
    return Lift(estimate, *ends)


def drawn(bound: float | None = None, **lifts: Lift) -> Forest:
    chart = forest(lifts, text, bound)
    assert chart
    return chart


def by_day(*halves: float, estimate: float = 0.1) -> Daily:
    """A day each, whose interval reaches so far to both sides."""
    days = {
        DAY + timedelta(days=place): DailyLift("new", estimate, estimate - half, estimate + half)
        for place, half in enumerate(halves)
    }
    chart = daily("new", days, text)
    assert chart
    return chart


def test_a_scale_puts_numbers_between_its_ends_and_those_beyond_at_them() -> None:
    scale = Scale(-1.0, 3.0, 10.0, 90.0)
    assert [scale.at(value) for value in (-1.0, 0.0, 1.0, 3.0)] == [10.0, 30.0, 50.0, 90.0]
    assert [scale.at(value) for value in (-9.0, 9.0)] == [10.0, 90.0]
    assert scale.holds(3.0) and not scale.holds(3.1)
    assert Scale(-1.0, 3.0, 100.0, 0.0).at(3.0) == 0.0, "down the page, high numbers are up"
    assert Scale(2.0, 2.0, 10.0, 90.0).at(2.0) == 50.0


@pytest.mark.parametrize(
    ("low", "high", "numbers"),
    [
        (0.0, 1.0, [0.0, 0.25, 0.5, 0.75, 1.0]),
        (-0.03, 0.05, [-0.02, 0.0, 0.02, 0.04]),
        (0.0, 9e6, [0.0, 2.5e6, 5e6, 7.5e6]),
        (-1e-9, 1e-9, [-1e-9, -5e-10, 0.0, 5e-10, 1e-9]),
        (2.0, 2.0, [2.0]),
    ],
)
def test_the_numbers_at_an_axis_are_round(low: float, high: float, numbers: list[float]) -> None:
    assert round_numbers(low, high) == pytest.approx(numbers)


@pytest.mark.parametrize("high", [0.07, 0.1, 1.0, 1.01, 3.3, 99.0, 123_456.0])
def test_an_axis_has_few_numbers_and_more_than_one(high: float) -> None:
    assert 2 <= len(round_numbers(0.0, high)) <= 5


def test_a_forest_plot_has_a_row_a_variant_on_one_scale_with_zero_on_it() -> None:
    chart = drawn(b=lift(0.1, 0.05, 0.1), c=lift(0.3, 0.05, 0.1))
    b, c = chart.rows
    assert [b.name, c.name] == ["b", "c"]
    assert b.line < c.y < c.line < chart.bottom < chart.height
    assert chart.zero == b.sequential_low == 8.0
    assert b.sequential_low < b.low < b.estimate < b.high < b.sequential_high
    assert c.estimate - b.estimate == pytest.approx(b.high - b.low + c.high - c.low, abs=0.02), "one scale"
    assert c.sequential_high == 92.0
    assert [one.text for one in chart.ticks] == ["0", "0.1", "0.2", "0.3", "0.4"]
    assert chart.ticks[0].at == chart.zero


def test_a_forest_plot_that_lies_on_one_side_reaches_to_zero_all_the_same() -> None:
    assert drawn(b=lift(-0.5, 0.1, 0.2)).zero == 92.0
    assert drawn(b=lift(0.5, 0.1, 0.2)).zero == 8.0


def test_the_bound_of_a_guardrail_is_on_the_plot_even_where_no_interval_reaches_it() -> None:
    assert drawn(b=lift(0.0, 0.1, 0.2)).bound is None
    far = drawn(0.8, b=lift(0.0, 0.1, 0.2))
    assert far.bound == 92.0 and far.rows[0].sequential_high < 92.0
    assert drawn(0.0, b=lift(0.0, 0.1, 0.2)).bound == drawn(b=lift(0.0, 0.1, 0.2)).zero


def test_a_name_that_is_too_long_for_a_phone_is_cut() -> None:
    [row] = drawn(**{"x" * 64: lift(0.0, 0.1, 0.2)}).rows
    assert row.name == "x" * 39 + "…"


def test_nothing_is_drawn_of_nothing() -> None:
    assert forest({}, text) is None
    assert daily("new", {}, text) is None
    assert traffic({}) == []


def test_the_days_of_a_lift_go_from_left_to_right_and_high_numbers_are_up() -> None:
    chart = by_day(0.4, 0.3, 0.2)
    assert [one.x for one in chart.points] == [18.0, 56.0, 94.0]
    first, _, last = chart.points
    assert first.y == last.y and first.y is not None
    assert first.high < last.high < first.y < last.low < first.low
    assert last.low < chart.zero + 80 and last.y is not None and last.y < chart.zero
    assert [(one.x, other.x) for one, other in chart.steps] == [(18.0, 56.0), (56.0, 94.0)]
    assert [one.text for one in chart.days] == ["2 Mar", "3 Mar", "4 Mar"]
    assert "0" in [one.text for one in chart.ticks]


def test_intervals_of_the_first_days_are_cut_so_that_the_latest_can_be_read() -> None:
    wide, narrow = by_day(50.0, 0.3), by_day(0.4, 0.3)
    assert (wide.cut, narrow.cut) == (True, False)
    last = wide.points[-1]
    assert last.low - last.high > 50, "a third of the height"
    assert (wide.points[0].high, wide.points[0].low) == (0.0, 160.0)


def test_a_lift_that_lies_outside_is_not_drawn_as_if_it_lay_at_the_edge() -> None:
    days = {DAY: DailyLift("new", 9.0, 5.0, 13.0), DAY + timedelta(days=1): DailyLift("new", 0.1, 0.0, 0.2)}
    chart = daily("new", days, text)
    assert chart
    assert [one.y is None for one in chart.points] == [True, False]
    assert chart.steps == []


def test_one_day_is_in_the_middle() -> None:
    assert [one.x for one in by_day(0.3).points] == [56.0]
    [chart] = traffic({DAY: {"a": 3}})
    [bar] = chart.bars
    assert (bar.x, bar.width, bar.y, bar.height) == (53.0, 6.0, 0.0, 40.0)


def test_users_of_all_variants_have_one_scale_and_days_without_any_are_left_open() -> None:
    a, b = traffic({DAY: {"a": 10, "b": 5}, DAY + timedelta(days=4): {"a": 0, "b": 20}})
    assert (a.name, b.name, a.most, b.most) == ("a", "b", 20, 20)
    assert [bar.height for bar in a.bars] == [20.0, 0.0]
    assert [bar.height for bar in b.bars] == [10.0, 40.0]
    assert [bar.y + bar.height for bar in (*a.bars, *b.bars)] == [40.0] * 4
    first, last = a.bars
    assert (first.x + first.width / 2, last.x + last.width / 2) == (18.0, 94.0)
    assert [one.text for one in a.days] == ["2 Mar", "3 Mar", "5 Mar", "6 Mar"]


@pytest.mark.parametrize("days", [2, 30, 400])
def test_bars_do_not_overlap(days: int) -> None:
    [chart] = traffic({DAY + timedelta(days=day): {"a": 1} for day in range(days)})
    ends = [bar.x + bar.width for bar in chart.bars]
    assert all(end <= bar.x + 0.02 for end, bar in zip(ends, chart.bars[1:], strict=False))
    assert all(bar.width > 0.1 for bar in chart.bars)
    assert len(chart.days) <= 4 and chart.days[0].at == 18.0 and chart.days[-1].at == 94.0
