"""Recommenders side by side: each fitted and asked under the same protocol, with intervals, and compared with what is
live over the same users.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from experiments.errors import DomainError
from experiments.mltask import Examples, Progress, no_progress
from recommendations.ml import metrics
from recommendations.ml.baselines import BASELINES, expected_recall
from recommendations.ml.metrics import Background, Case
from recommendations.ml.protocols import PROTOCOLS
from recommendations.ml.recommend import Newcomers
from recommendations.ml.sequences import RATING, Floats, Ints

if TYPE_CHECKING:
    import pandas as pd

RESAMPLES = 1_000
AT_ONCE = 4_000_000  # users drawn before they are added up
STEPS = 10  # of the progress of one recommender
Sums = dict[str, tuple[Floats, Floats]]  # by figure: what to add up over the users, and what to divide by


@dataclass(frozen=True)
class Live:
    algorithm: str
    params: Mapping[str, Any]
    version: int


@dataclass(frozen=True)
class Contender:
    """`make` gives it unfitted. The one that is `reference` is what the others are compared with."""

    name: str
    make: Callable[[], Any]
    params: Mapping[str, Any]
    live: bool = False
    reference: bool = False


@dataclass(frozen=True)
class Trial:
    """What a protocol made of the rows: what to learn from and whom to ask. Where products are new, only they may be
    recommended, and `words` says what they are.
    """

    fit: Examples
    cases: Sequence[Case]
    catalogue: int
    words: "pd.DataFrame | None" = None

    @property
    def allowed(self) -> tuple[int, ...] | None:
        return None if self.words is None else tuple(self.words["product"].tolist())


@dataclass(frozen=True)
class Measured:
    """Each figure with the means of its resamples (None where resampling would mislead)."""

    figures: Mapping[str, tuple[float, Floats | None]]
    seconds_to_fit: float
    ms_a_user: float


def contenders(
    algorithms: Mapping[str, type[Any]], *, only: Sequence[str] = (), live: Live | None = None
) -> list[Contender]:
    """The algorithms as they are by default, and the baselines; `only` those named. What is live is always among them,
    or what is default where nothing is live: the others are compared with it.
    """
    known = {**algorithms, **BASELINES}
    for name in only:
        if name not in known:
            raise DomainError(f"There is no algorithm {name[:64]}. Known are: {', '.join(known)}.")
    default = next(iter(algorithms))
    as_live = default if not live else live.algorithm if live.algorithm in known and not live.params else ""
    found = [
        Contender(name, kind, {}, live=bool(live) and name == as_live, reference=name == as_live)
        for name, kind in known.items()
        if not only or name in only or name == as_live
    ]
    if live and not as_live:
        make = partial(_made, algorithms, live)
        found.insert(0, Contender(f"{live.algorithm} v{live.version}", make, live.params, live=True, reference=True))
    return found


def _made(algorithms: Mapping[str, type[Any]], live: Live) -> Any:
    if live.algorithm not in algorithms:
        raise DomainError(f"Version {live.version} was made by an algorithm that this code does not have.")
    return algorithms[live.algorithm](**live.params)


def trial_of(examples: Examples, protocol: str, *, users: int | None = None) -> Trial:
    """`users`: ask no more than so many, drawn at random. Raises DomainError where nobody can be measured on."""
    if RATING not in set(examples.rows["kind"]):
        raise DomainError("There are no ratings to evaluate on: import some, or run `manage.py demo`.")
    rows = PROTOCOLS[protocol](examples.rows)
    fit, side = rows[~rows["held_out"]], dict(examples.side)
    words, catalogue = None, metrics.catalogue_size(examples)
    if protocol == "new-products":
        new = set(rows.loc[rows["held_out"], "product"])
        products = side.get("products", examples.rows[["product"]].drop_duplicates())
        words = products[products["product"].isin(new)]
        side["products"] = products[~products["product"].isin(new)]
        catalogue = len(words)
    asked = rows[rows["unit"].isin(_drawn(rows.loc[rows["held_out"], "unit"].unique(), users))]
    cases = metrics.cases_of(asked)
    if not any(len(case.relevant) for case in cases):
        raise DomainError(
            f"There is nothing to evaluate under {protocol}: no user has a history and, after it, a rating of "
            f"{metrics.LIKED:g} stars or more."
        )
    return Trial(Examples(fit, side), cases, catalogue, words)


def _drawn(units: Any, count: int | None) -> Any:
    return units if count is None or count >= len(units) else np.random.default_rng(0).permutation(units)[:count]


def compare(
    trial: Trial, among: Sequence[Contender], ks: Sequence[int], *, progress: Progress = no_progress
) -> dict[str, Any]:
    """Everything about everyone, as JSON: see docs/evaluating-recommendations.md. One that fails is listed with its
    error. Raises DomainError where all fail.
    """
    background = Background.of(trial.fit)
    found: list[tuple[Contender, Measured | str]] = []
    for place, contender in enumerate(among):
        told = partial(_tell, progress, place * STEPS, len(among) * STEPS, contender.name)
        try:
            found.append((contender, _measured(trial, background, contender, ks, told)))
        except Exception as error:
            said = error.detail if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
            found.append((contender, said))
    if all(isinstance(measured, str) for _, measured in found):
        raise DomainError("Nothing could be evaluated. " + " ".join(f"{one.name}: {said}" for one, said in found))
    reference = next((one for one in found if one[0].reference), None)
    measured = reference[1] if reference and isinstance(reference[1], Measured) else None
    return {
        "users": sum(len(case.relevant) > 0 for case in trial.cases),
        "held_out": sum(len(case.products) for case in trial.cases),
        "learned_from": len(trial.fit),
        "products": trial.catalogue,
        "k": list(ks),
        "interval": f"95 %, percentile bootstrap over users, {RESAMPLES:,} resamples",
        "reference": {"name": reference[0].name, "live": reference[0].live, "measured": measured is not None}
        if reference
        else None,
        "recommenders": [_report(contender, one, measured) for contender, one in found],
    }


def _tell(progress: Progress, before: int, total: int, name: str, done: int, of: int, what: str) -> None:
    progress(before + STEPS * done // max(of, 1), total, f"{name}: {what}")


def _measured(
    trial: Trial, background: Background, contender: Contender, ks: Sequence[int], progress: Progress
) -> Measured:
    start = time.perf_counter()
    progress(0, 2, "fitting")
    model = contender.make().fit(trial.fit, progress=lambda done, total, what: progress(done, 2 * total, what))
    fitted = time.perf_counter()
    progress(1, 2, "ranking")
    newcomers = model.nearest(trial.words) if trial.words is not None and hasattr(model, "nearest") else Newcomers()
    cases = [case for case in trial.cases if len(case.relevant)]
    asked = [replace(one.given, n=max(ks), allowed=trial.allowed, newcomers=newcomers) for one in cases]
    ranked = metrics.lists(model, asked)
    ranking = time.perf_counter() - fitted
    sums, shown = _ranking(ranked, cases, ks, trial), {}
    for k in ks:
        shown[f"coverage@{k}"] = metrics.coverage(ranked[:, :k], trial.catalogue)
        if trial.words is None:  # nobody has rated what is new: it is all novel, and none is popular
            sums |= _variety(background, ranked, k)
    figures: dict[str, tuple[float, Floats | None]] = {**resampled(sums)}
    figures |= {name: (value, None) for name, value in shown.items()}
    if hasattr(model, "predicted"):
        found = resampled({"rmse": _squared_errors(model, trial.cases)})["rmse"]
        figures["rmse"] = float(np.sqrt(found[0])), np.sqrt(found[1])
    progress(2, 2, "measured")
    return Measured(figures, round(fitted - start, 2), round(1_000 * ranking / len(cases), 3))


def _ranking(ranked: Ints, cases: Sequence[Case], ks: Sequence[int], trial: Trial) -> Sums:
    relevant = [case.relevant for case in cases]
    hit, counts = metrics.hits(ranked, relevant), np.array([len(one) for one in relevant])
    ones, found = np.ones(len(cases)), Sums()
    for k in ks:
        found[f"ndcg@{k}"] = metrics.ndcg(hit, counts, k), ones
        found[f"recall@{k}"] = metrics.recall(hit, counts, k), ones
        found[f"map@{k}"] = metrics.average_precision(hit, counts, k), ones
        found[f"hit@{k}"] = metrics.hit_rate(hit, k), ones
        if trial.words is not None:
            expected = expected_recall(counts, trial.catalogue, k)
            found[f"recall_to_random@{k}"] = metrics.recall(hit, counts, k), expected
    return found


def _variety(background: Background, ranked: Ints, k: int) -> Sums:
    first = ranked[:, :k]
    figures = {
        f"novelty@{k}": background.novelty(first),
        f"diversity@{k}": background.diversity(first),
        f"popular@{k}": background.popular_share(first),
    }
    return {name: (np.nan_to_num(values), np.isfinite(values).astype(float)) for name, values in figures.items()}


def _squared_errors(model: Any, cases: Sequence[Case]) -> tuple[Floats, Floats]:
    """For each user the sum over the held-out ratings, and how many these are."""
    predicted = [np.asarray(model.predicted(case.given.history, case.products.tolist())) for case in cases]
    errors = [float(((one - case.stars) ** 2).sum()) for one, case in zip(predicted, cases, strict=True)]
    return np.array(errors), np.array([float(len(case.products)) for case in cases])


def resampled(sums: Sums) -> dict[str, tuple[float, Floats]]:
    """Each figure, total / weight over all users, and the same for RESAMPLES draws of as many users with replacement
    (the bootstrap: Efron, 1979). The draws are the same each time for as many users, so figures of two recommenders
    are paired.
    """
    totals, weights = (np.stack([pair[side] for pair in sums.values()], axis=1) for side in (0, 1))
    count, draw = len(totals), np.random.default_rng(0)
    blocks = []
    size = max(AT_ONCE // count, 1)
    with np.errstate(invalid="ignore", divide="ignore"):
        for start in range(0, RESAMPLES, size):
            rows = min(size, RESAMPLES - start)
            picks = draw.integers(0, count, (rows, count)) + np.arange(rows)[:, None] * count
            times = np.bincount(picks.ravel(), minlength=rows * count).reshape(rows, count).astype(float)
            blocks.append((times @ totals) / (times @ weights))
        values = totals.sum(axis=0) / weights.sum(axis=0)
    means = np.concatenate(blocks)
    return {name: (float(values[column]), means[:, column]) for column, name in enumerate(sums)}


def _report(contender: Contender, measured: Measured | str, reference: Measured | None) -> dict[str, Any]:
    facts: dict[str, Any] = {"name": contender.name, "params": dict(contender.params), "live": contender.live}
    if isinstance(measured, str):
        return facts | {"error": measured}
    facts |= {"seconds_to_fit": measured.seconds_to_fit, "ms_a_user": measured.ms_a_user}
    facts["figures"] = {name: _figure(*found) for name, found in measured.figures.items()}
    if reference and not contender.reference:
        pairs = {name: (found, reference.figures.get(name)) for name, found in measured.figures.items()}
        facts["difference"] = {name: _figure(*_less(one, other)) for name, (one, other) in pairs.items() if other}
    return facts


def _less(one: tuple[float, Floats | None], other: tuple[float, Floats | None]) -> tuple[float, Floats | None]:
    return one[0] - other[0], None if one[1] is None or other[1] is None else one[1] - other[1]


def _figure(value: float, means: Floats | None) -> dict[str, float | None]:
    """None for what is not defined, and for the ends of an interval that there is none of."""
    low, high = (np.nan, np.nan) if means is None else np.quantile(means, [0.025, 0.975])
    rounded = {"value": value, "low": float(low), "high": float(high)}
    return {name: round(number, 6) if np.isfinite(number) else None for name, number in rounded.items()}
