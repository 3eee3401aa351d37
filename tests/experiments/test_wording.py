"""Figures of a test as people read them."""

import pytest

from experiments.wording import interval, maybe, number, points, probability, relative, share


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (0.0, "0"), (-1e-9, "0"), (1e-6, "0.000001"), (0.00123456, "0.00123"), (0.5, "0.5"), (-0.25, "-0.25"),
        (1.0, "1"), (12.345, "12.3"), (99.96, "100"), (100.0, "100"), (1234.5678, "1,235"), (-1e6, "-1,000,000"),
    ],
)  # fmt: skip
def test_a_number_has_the_three_digits_that_say_most(value: float, written: str) -> None:
    assert number(value) == written


def test_an_effect_has_its_sign_and_its_unit() -> None:
    assert [relative(value) for value in (0.1234, -0.05, 0.0, 12.0)] == ["+12.3 %", "-5 %", "0 %", "+1,200 %"]
    assert [points(value) for value in (0.01, -0.01, 0.0015, 0.0)] == [
        "+1 point", "-1 point", "+0.15 points", "0 points",
    ]  # fmt: skip
    assert share(0.4) == "40 %"
    assert interval(-0.1, 0.2, relative) == "-10 % to +20 %"


def test_what_is_not_known_is_a_dash() -> None:
    assert (maybe(None, share), probability(None)) == ("-", "-")


def test_a_small_p_says_what_it_is_under() -> None:
    assert [probability(p) for p in (1.0, 0.0123, 0.001, 0.00099, 0.0)] == [
        "1.000", "0.012", "0.001", "under 0.001", "under 0.001",
    ]  # fmt: skip
