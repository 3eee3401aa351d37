"""What a test can be judged by: the metrics by name, and of which rows SQL makes them.

The user is the unit whatever the rows are: SQL adds up the rows of each user first, then the users of each variant
(aggregates.py). Outcomes are written by the rooms above (experiments/outcomes.py), so a metric knows of them what
their rows say: the kind, the value, and which prediction led there.
"""

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["proportion", "mean", "count", "ratio", "quantile"]
Source = Literal["outcomes", "led", "recommended", "predictions"]


@dataclass(frozen=True, kw_only=True)
class Metric:
    """`source` says where a user's rows come from: `outcomes` of these kinds, those that a prediction of the test `led`
    to, ratings of what it had `recommended`, or the predictions themselves. y counts, or `adds` up, those for which
    `rows` is true in SQL: `after` the exposure. x of a ratio or a quantile counts those for which `of` is.

    `winsorised`: a user counts for no more than this quantile of the users that have any. `level` is a quantile's.
    `in_points`: an effect is judged by the difference, in points of a share, since a relative one says little near 0.
    """

    name: str
    kind: Kind
    source: Source
    description: str
    rows: str = "after"
    of: str = "after"
    outcomes: tuple[str, ...] = ()
    adds: str = ""
    higher_is_better: bool = True
    winsorised: float | None = None
    level: float | None = None
    in_points: bool = False

    @property
    def has_covariate(self) -> bool:
        """Whether the user had the same metric before the exposure: what CUPED adjusts for."""
        return self.source == "outcomes"

    def y(self) -> str:
        """y of one user in SQL, an aggregate over the user's rows."""
        return self._of_user(self.rows)

    def x(self) -> str:
        """x of one user: how many rows a ratio divides by, or the same metric before the exposure."""
        if self.kind in ("ratio", "quantile"):
            return f"(count(*) FILTER (WHERE {self.of}))::float8"
        return self._of_user("before") if self.has_covariate else "0::float8"

    def _of_user(self, rows: str) -> str:
        if self.adds:
            return f"coalesce(sum({self.adds}) FILTER (WHERE {rows}), 0)"
        counted = f"(count(*) FILTER (WHERE {rows}))"
        return f"({counted} > 0)::int::float8" if self.kind == "proportion" else f"{counted}::float8"


def _outcome(name: str, kind: Kind, description: str, *outcomes: str, **more: Any) -> Metric:
    given = {"source": "outcomes", **more}
    return Metric(name=name, kind=kind, description=description, outcomes=outcomes, **given)


def _answers(name: str, kind: Kind, description: str, rows: str, of: str, **more: Any) -> Metric:
    return Metric(name=name, kind=kind, source="predictions", rows=rows, of=of, description=description,
                  higher_is_better=False, **more)  # fmt: skip


METRICS = {
    metric.name: metric
    for metric in (
        _outcome("click_rate", "proportion", "Share of the users who clicked on a product.", "click"),
        _outcome("cart_rate", "proportion", "Share of the users who put a product into the cart.", "cart"),
        _outcome("purchase_rate", "proportion", "Share of the users who bought a product.", "purchase"),
        _outcome("revenue_per_user", "mean", "Prices of what a user bought, added up.", "purchase",
                 adds="worth", winsorised=0.99),
        _outcome("clicks_per_user", "count", "How often a user clicked on a product.", "click"),
        _outcome("rating_of_recommended", "ratio", "Stars of a rated product that had been recommended to the user.",
                 "rating", source="recommended", adds="worth"),
        _outcome("hit_rate", "proportion", "Share of the users who clicked on, put into the cart or bought what a"
                 " prediction of the test led them to.", "click", "cart", "purchase", source="led"),
        _answers("error_rate", "ratio", "Share of what the variant was asked on which it failed.",
                 "status = 'error'", "status <> 'fallback'", in_points=True),
        _answers("fallback_rate", "ratio", "Share of the answers that something else gave instead of the variant.",
                 "status = 'fallback'", "status <> 'error'", in_points=True),
        _answers("latency_p50", "quantile", "Milliseconds within which the variant gives half of its answers.",
                 "status = 'ok' AND latency_ms <= {limit}", "status = 'ok'", level=0.5),
        _answers("latency_p95", "quantile", "Milliseconds within which the variant gives 95 % of its answers.",
                 "status = 'ok' AND latency_ms <= {limit}", "status = 'ok'", level=0.95),
    )
}  # fmt: skip
