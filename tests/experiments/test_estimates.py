"""Estimates of quality without truths: what calibrated scores promise, and a change of what is asked followed."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score

from experiments.errors import Invalid
from experiments.estimates.cbpe import cbpe, classification
from experiments.estimates.dle import MOST_OFF, dle, relative_error
from experiments.estimates.quality import Estimate, Known

Draw = np.random.Generator
FIGURES = {"accuracy", "f1", "macro_f1", "auc"}


def answers(score: np.ndarray) -> np.ndarray:
    """The facts of a classifier that says positive from a half on."""
    return np.column_stack([score, score >= 0.5]).astype(float)


def classified(draw: Draw, rows: int, sure: float, *, blurred: float = 1.0) -> Known:
    """Chances of positive from a beta distribution, the nearer to a half the larger `sure` is, and truths by them. Of
    a model that is `blurred` (below 1) the scores lie nearer to a half than the chances.
    """
    chance = draw.beta(sure, sure * 0.7, rows)
    score = chance**blurred / (chance**blurred + (1 - chance) ** blurred)
    return Known(answers(score), (draw.random(rows) < chance).astype(float))


def shares_held(estimates: list[dict[str, Estimate]], truths: list[dict[str, float]]) -> dict[str, float]:
    """How often the interval of each figure held what was measured."""
    return {
        name: float(np.mean([e[name].low <= t[name] <= e[name].high for e, t in zip(estimates, truths, strict=True)]))
        for name in truths[0]
    }


def test_measured_figures_are_those_of_scikit_learn() -> None:
    draw = np.random.default_rng(1)
    known = classified(draw, 500, 0.8)
    known.facts[::3, 0] = known.facts[0, 0]  # ties
    found = classification(known)
    score, said = known.facts.T
    assert set(found) == FIGURES
    assert found["accuracy"] == pytest.approx(accuracy_score(known.truth, said), abs=1e-12)
    assert found["f1"] == pytest.approx(f1_score(known.truth, said), abs=1e-12)
    assert found["macro_f1"] == pytest.approx(f1_score(known.truth, said, average="macro"), abs=1e-12)
    assert found["auc"] == pytest.approx(roc_auc_score(known.truth, score), abs=1e-12)


def test_cbpe_is_the_expectation_of_calibrated_scores() -> None:
    """Of chances that are uniform over 0 to 1: accuracy 3/4, F1 3/4 both ways, AUC 5/6, by integration."""
    draw = np.random.default_rng(2)
    chance = draw.random(10_000)
    reference = Known(answers(chance), (draw.random(10_000) < chance).astype(float))
    found = cbpe(reference, answers(np.linspace(0, 1, 501)))
    expected = {"accuracy": 3 / 4, "f1": 3 / 4, "macro_f1": 3 / 4, "auc": 5 / 6}
    assert {name: one.value for name, one in found.items()} == pytest.approx(expected, abs=0.008)


def test_the_expected_figures_are_the_mean_of_drawn_ones() -> None:
    from experiments.estimates.cbpe import _figures, _ranks

    draw = np.random.default_rng(3)
    score = np.round(draw.beta(0.8, 0.6, 400), 2)  # rounded: there are ties
    said, ranks = (score >= 0.5).astype(float), _ranks(score)
    expected = _figures(score[None], said, ranks)
    drawn = _figures((draw.random((2_000, 400)) < score).astype(float), said, ranks)
    for name in FIGURES:
        assert expected[name][0] == pytest.approx(drawn[name].mean(), abs=0.003)


@pytest.mark.parametrize("sure", [0.15, 0.6, 1.5, 4.0])
def test_cbpe_follows_a_drop_of_any_size(sure: float) -> None:
    """The reference is answered surely (0.25), and by scores that are not calibrated. The figures fall, AUC too, and
    the interval holds them about as often as it says.
    """
    estimates, truths = [], []
    for seed in range(10):
        draw = np.random.default_rng(seed)
        reference = classified(draw, 600, 0.25, blurred=0.7)
        current = classified(draw, 600, sure, blurred=0.7)
        estimates.append(cbpe(reference, current.facts))
        truths.append(classification(current))
    assert min(shares_held(estimates, truths).values()) >= 0.8
    for name in FIGURES:
        off = [one[name].value - truth[name] for one, truth in zip(estimates, truths, strict=True)]
        assert abs(np.mean(off)) < 0.025
        assert max(np.abs(off)) < 0.1


def test_the_drop_itself_is_seen() -> None:
    draw = np.random.default_rng(4)
    reference = classified(draw, 2_000, 0.25)
    before, after = (cbpe(reference, classified(draw, 2_000, sure).facts) for sure in (0.25, 4.0))
    for name in FIGURES:
        assert after[name].high < before[name].low


def test_an_interval_is_narrower_with_more_answers() -> None:
    draw = np.random.default_rng(5)
    reference = classified(draw, 2_000, 0.5)
    few, many = (cbpe(reference, classified(draw, rows, 0.5).facts)["accuracy"] for rows in (50, 2_000))
    assert many.high - many.low < (few.high - few.low) / 3


def test_cbpe_does_not_see_truths_that_changed() -> None:
    """Concept drift: a third of the truths is turned round, and the answers look as before."""
    draw = np.random.default_rng(6)
    reference, current = classified(draw, 2_000, 0.25), classified(draw, 2_000, 0.25)
    turned = np.where(draw.random(2_000) < 1 / 3, 1 - current.truth, current.truth)
    found = cbpe(reference, current.facts)["accuracy"]
    assert classification(Known(current.facts, turned))["accuracy"] < found.low - 0.2


def test_the_same_rows_give_the_same_estimate() -> None:
    draw = np.random.default_rng(7)
    reference, current = classified(draw, 500, 0.5), classified(draw, 500, 0.5)
    assert cbpe(reference, current.facts) == cbpe(reference, current.facts)
    numbers, later = homes(draw, 300, 0, 1), homes(draw, 300, 0, 1)
    assert dle(numbers, later.facts) == dle(numbers, later.facts)


def test_separated_scores_are_no_reason_to_fail() -> None:
    score = np.array([0.01, 0.02, 0.98, 0.99] * 30)
    found = cbpe(Known(answers(score), (score > 0.5).astype(float)), answers(score))
    assert set(found) == FIGURES
    assert all(one.low > 0.95 and one.low <= one.value <= one.high == 1 for one in found.values())


def test_what_one_class_does_not_define_is_left_out() -> None:
    score = np.full(50, 0.9)
    assert classification(Known(answers(score), np.ones(50))) == {"accuracy": 1.0, "f1": 1.0}
    assert classification(Known(answers(1 - score), np.zeros(50))) == {"accuracy": 1.0}
    assert set(cbpe(classified(np.random.default_rng(8), 500, 0.3), answers(score[:1]))) >= {"accuracy"}
    with pytest.raises(Invalid, match="one class"):
        cbpe(Known(answers(score), np.ones(50)), answers(score))


GOOD = Known(answers(np.array([0.2, 0.8])), np.array([0.0, 1.0]))
NONE = np.empty((0, 2))


@pytest.mark.parametrize(
    "wrong", [NONE, np.empty(0), *(answers(np.array([0.5, one])) for one in (np.nan, 1.1, -0.1, np.inf))]
)
def test_rows_that_are_no_scores_are_refused_by_name(wrong: np.ndarray) -> None:
    for ask in (
        lambda: cbpe(GOOD, wrong),
        lambda: cbpe(Known(wrong, GOOD.truth), GOOD.facts),
        lambda: classification(Known(wrong, GOOD.truth)),
    ):
        with pytest.raises(Invalid, match="facts: expected"):
            ask()


def test_an_unknown_truth_is_refused_by_name() -> None:
    unknown = np.array([0.0, math.nan])
    for ask in (
        lambda: classification(Known(GOOD.facts, unknown)),
        lambda: cbpe(Known(GOOD.facts, unknown), GOOD.facts),
    ):
        with pytest.raises(Invalid, match="truth: expected finite"):
            ask()


def homes(draw: Draw, rows: int, low: float, high: float) -> Known:
    """Numbers that are off by 5 % of a bell curve where x is 0, and by 35 % where it is 1."""
    x = draw.uniform(low, high, rows)
    truth = np.exp(12 + x / 2)
    said = truth * np.exp((0.05 + 0.3 * x) * draw.normal(size=rows))
    return Known(np.column_stack([said, x, draw.normal(size=rows)]), truth)


@pytest.mark.parametrize(("low", "high"), [(0.5, 1.0), (0.8, 1.0), (0.0, 0.3)])
def test_dle_follows_inputs_to_where_answers_are_worse_or_better(low: float, high: float) -> None:
    estimates, truths = [], []
    for seed in range(5):
        draw = np.random.default_rng(seed)
        reference, current = homes(draw, 600, 0, 1), homes(draw, 1_000, low, high)
        estimates.append(dle(reference, current.facts))
        truths.append(relative_error(current))
    assert shares_held(estimates, truths)["relative_error"] >= 0.8
    off = [
        one["relative_error"].value / truth["relative_error"] - 1 for one, truth in zip(estimates, truths, strict=True)
    ]
    assert abs(np.mean(off)) < 0.05


def test_the_rise_of_the_error_itself_is_seen() -> None:
    draw = np.random.default_rng(9)
    reference = homes(draw, 600, 0, 1)
    calm, noisy = (dle(reference, homes(draw, 500, *where).facts)["relative_error"] for where in ((0, 0.2), (0.8, 1)))
    assert calm.high < noisy.low


def test_one_false_truth_counts_for_no_more_than_a_whole_error() -> None:
    facts = np.full((10, 1), 300_000.0)
    truth = np.array([300_000.0] * 9 + [1.0])
    assert relative_error(Known(facts, truth)) == {"relative_error": MOST_OFF / 10}


def test_a_model_that_is_never_off_is_estimated_so() -> None:
    facts = np.arange(1.0, 101.0)[:, None]
    found = dle(Known(facts, facts[:, 0]), facts)["relative_error"]
    assert (found.value, found.low, found.high) == (0, 0, 0)


NUMBERS = homes(np.random.default_rng(10), 40, 0, 1)
Ask = Callable[[], object]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: dle(NUMBERS, NONE), "facts: expected"),
        (lambda: dle(NUMBERS, np.full((1, 3), np.nan)), "facts: expected"),
        (lambda: dle(Known(NUMBERS.facts[:19], NUMBERS.truth[:19]), NUMBERS.facts), "20 reference rows or more"),
        (lambda: dle(Known(NUMBERS.facts, NUMBERS.truth * np.nan), NUMBERS.facts), "truth: expected finite"),
        (lambda: relative_error(Known(NUMBERS.facts, NUMBERS.truth * 0)), "truth: expected numbers over 0"),
        (lambda: relative_error(Known(NONE, np.empty(0))), "facts: expected"),
    ],
)  # fmt: skip
def test_numbers_that_teach_nothing_are_refused_by_name(ask: Ask, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        ask()
