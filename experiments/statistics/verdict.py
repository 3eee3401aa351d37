"""What a test says so far, in one word and the sentence that gives the reason.

In this order: `broken` where the users are not split as planned; `keep going` until each group has the users of the
plan; `rollback` where a guardrail is lost; `no difference` where the effect is surely smaller than what is worth
finding; `ship` or `rollback` where the primary metric is surely better or worse; otherwise `keep going`. A variant
ships only where every guardrail is shown to hold: that none was shown to be lost is not enough. Secondary metrics
decide nothing.

How often a word is wrong is decided by the figures it is given: those of a fixed horizon stand for one reading at the
planned size, always-valid ones for any number of readings.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from experiments.statistics.effects import ALPHA

SAMPLE_RATIO_ALARM = 0.001
MULTIPLE_EXPOSURES_ALARM = 0.01

Word = Literal["ship", "rollback", "keep going", "no difference", "broken"]
FIRST_SAID: Sequence[Word] = ("broken", "ship", "keep going", "no difference", "rollback")


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A metric of a variant against the control: its relative effect, or the absolute one of a share, and the interval.

    `effect` is None where nothing is known, `low` and `high` where no error is. `p` is that of the absolute effect,
    adjusted for all comparisons; a guardrail needs none.
    """

    metric: str
    effect: float | None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    higher_is_better: bool = True

    def standing(self, alpha: float) -> Literal["won", "lost", "undecided"]:
        if self.effect is None or self.p is None or self.p >= alpha:
            return "undecided"
        return "won" if (self.effect > 0) == self.higher_is_better else "lost"

    def losses(self) -> tuple[float, float] | None:
        """The least and the most that may have been lost; under 0 is a gain. The effect alone where no error is known,
        such as for an error rate that is 0 in a group.
        """
        low, high = (self.effect, self.effect) if self.low is None else (self.low, self.high)
        if low is None or high is None:
            return None
        return (-high, -low) if self.higher_is_better else (low, high)

    def within(self, size: float) -> bool:
        return self.low is not None and self.high is not None and -size < self.low and self.high < size

    def __str__(self) -> str:
        if self.effect is None:
            return f"{self.metric} (not known)"
        reach = "" if self.low is None else f" ({self.low:+.1%} to {self.high:+.1%})"
        return f"{self.metric} {self.effect:+.1%}{reach}"


@dataclass(frozen=True)
class Guardrail:
    """A metric of which `bound` may be lost: 0.05 lets latency rise by 5 %."""

    figure: Figure
    bound: float

    def lost(self) -> bool:
        losses = self.figure.losses()
        return losses is not None and losses[0] > self.bound

    def held(self) -> bool:
        losses = self.figure.losses()
        return losses is not None and losses[1] <= self.bound

    def __str__(self) -> str:
        return f"{self.figure}, of which {self.bound:.1%} may be lost"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of one variant. `users` are in the smaller of the two groups, and `planned` is what the plan asks
    for in each. `smallest_effect`, over 0, is in the unit of the primary metric's effect. `multiple_exposures` is the
    share of users that were served several variants.
    """

    variant: str
    primary: Figure
    guardrails: Sequence[Guardrail]
    smallest_effect: float
    users: int
    planned: int
    sample_ratio_p: float
    multiple_exposures: float


@dataclass(frozen=True)
class Verdict:
    variant: str
    word: Word
    reason: str


def verdict(variants: Sequence[Evidence], alpha: float = ALPHA) -> Verdict:
    """Of a test with one or more variants beside the control: what is to be done, and about which variant.

    A variant that ships is named before those that keep going, and of several that ship the one that gains most.
    """
    said = [(evidence, Verdict(evidence.variant, *_say(evidence, alpha))) for evidence in variants]
    return min(said, key=lambda one: (FIRST_SAID.index(one[1].word), sum(one[0].primary.losses() or ())))[1]


def _say(evidence: Evidence, alpha: float) -> tuple[Word, str]:
    if evidence.sample_ratio_p < SAMPLE_RATIO_ALARM:
        return "broken", f"The users are not split as planned (p = {evidence.sample_ratio_p:.1g}): trust no figure."
    if evidence.multiple_exposures > MULTIPLE_EXPOSURES_ALARM:
        return "broken", f"{evidence.multiple_exposures:.1%} of the users met several variants: trust no figure."
    primary = evidence.primary
    standing = primary.standing(alpha)
    lost = "; ".join(str(guardrail) for guardrail in evidence.guardrails if guardrail.lost())
    open_ = "; ".join(str(guardrail) for guardrail in evidence.guardrails if not guardrail.held())
    if evidence.users < evidence.planned:
        warning = f" A guardrail is lost so far: {lost}." if lost else ""
        return "keep going", f"{evidence.users:,} of {evidence.planned:,} users a group have come.{warning}"
    if lost:
        link = "but" if standing == "won" else "and"
        return "rollback", f"{primary} is {standing}, {link} a guardrail is lost: {lost}."
    if primary.within(evidence.smallest_effect):
        return "no difference", f"{primary} is within ±{evidence.smallest_effect:.1%}, too little to be worth finding."
    if standing == "won" and open_:
        return "keep going", f"{primary} is won, but a guardrail is not yet shown to hold: {open_}."
    words: dict[str, Word] = {"won": "ship", "lost": "rollback", "undecided": "keep going"}
    return words[standing], f"{primary} is {standing}."
