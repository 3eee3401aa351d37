"""How often simulated tests said what is not so, and what is: counted over what their readers were told. Pure."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from experiments.results.figures import Lift
from experiments.statistics.guardrail import share


@dataclass(frozen=True)
class Look:
    """What one reading of the results said of the variant and the primary metric."""

    absolute: Lift | None
    relative: Lift | None
    word: str
    alarm: bool
    variance_cut: float | None


Run = Sequence[Look]  # the readings of a test, the last one at the end


@dataclass(frozen=True)
class Share:
    """`count` tests `of` so many (one or more), with Wilson's 95 % interval."""

    count: int
    of: int

    @property
    def interval(self) -> tuple[float, float]:
        known = share(self.count, self.of)
        return known.low, known.high

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.count / self.of:6.1%} ({low:.1%} to {high:.1%})"


def ever(runs: Sequence[Run], told: Callable[[Look], bool]) -> Share:
    """The tests in which any reading told so."""
    return Share(sum(any(told(look) for look in run) for run in runs), len(runs))


def at_the_end(runs: Sequence[Run], told: Callable[[Look], bool]) -> Share:
    return ever([run[-1:] for run in runs], told)


def fixed_horizon_found(look: Look, alpha: float) -> bool:
    return look.absolute is not None and look.absolute.p < alpha


def sequential_found(look: Look, alpha: float) -> bool:
    """That 0 is outside of the interval of 1 - alpha."""
    return look.absolute is not None and look.absolute.sequential_p < alpha


def fixed_horizon_missed(look: Look, effect: float) -> bool:
    return look.relative is not None and not look.relative.low <= effect <= look.relative.high


def sequential_missed(look: Look, effect: float) -> bool:
    return look.relative is not None and not look.relative.sequential_low <= effect <= look.relative.sequential_high


def words(runs: Sequence[Run]) -> dict[str, Share]:
    """The verdicts at the end, the most frequent one first."""
    return {word: Share(count, len(runs)) for word, count in Counter(run[-1].word for run in runs).most_common()}


def mean_lift(runs: Sequence[Run]) -> float | None:
    """The relative lift at the end, over the tests in which it is known."""
    return _mean([run[-1].relative.estimate for run in runs if run[-1].relative])


def mean_cut(runs: Sequence[Run]) -> float | None:
    """The share of the variance that CUPED took at the end, over the tests in which it had anything to go by."""
    return _mean([run[-1].variance_cut for run in runs if run[-1].variance_cut is not None])


def _mean(numbers: Sequence[float]) -> float | None:
    return fmean(numbers) if numbers else None
