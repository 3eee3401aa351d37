"""`manage.py simulate_experiment`: how often A/B tests err where the truth is known, through the code that judges
them.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from experiments.management.commands._shared import Bar, plain_errors
from experiments.results.metrics import METRICS
from experiments.simulation import rates
from experiments.simulation.rates import Look, Run
from experiments.simulation.runs import Scenario, simulate
from experiments.simulation.users import DRAWN, baseline
from experiments.statistics.effects import ALPHA
from experiments.statistics.planning import Baseline, plan, power_of

BOUNDS: dict[str, tuple[float, float]] = {
    "effect": (0, 1),
    "users": (4, 1_000_000),
    "runs": (1, 100_000),
    "days": (1, 365),
    "correlation": (0, 0.95),
    "alpha": (0.0001, 0.5),
    "seed": (0, 2**32 - 1),
}
PLANNED_FROM = 0.001
Told = Callable[[Look], bool]


class Command(BaseCommand):
    help = (
        "Run A/B tests whose users are drawn and whose effect is known, in a database of their own, and count how often"
        " the results err."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--effect", type=float, default=0.0, help="relative; 0.1 is 10 %%, 0 an A/A test")
        parser.add_argument("--users", type=int, help="of a test, in all; as many as planned when left out")
        parser.add_argument("--runs", type=int, default=100, help="how many tests")
        parser.add_argument("--days", type=int, default=30, help="in which the users come")
        parser.add_argument("--peek", choices=["daily", "never"], default="daily", help="when the results are read")
        parser.add_argument("--metric", choices=DRAWN, default="revenue_per_user")
        parser.add_argument("--correlation", type=float, default=0.0, help="of the metric before and after exposure")
        parser.add_argument("--alpha", type=float, default=ALPHA, help="of the p-values and of the plan")
        parser.add_argument("--seed", type=int, default=0)

    @plain_errors
    def handle(self, *args: Any, **options: Any) -> None:
        for name, (low, high) in BOUNDS.items():
            given = options[name]
            if given is not None and not low <= given <= high:
                raise CommandError(f"--{name}: expected {low:,} to {high:,}, got {given}.")
        effect, alpha, seed = options["effect"], options["alpha"], options["seed"]
        before = baseline(METRICS[options["metric"]], options["correlation"], np.random.default_rng(seed))
        users = options["users"] or planned(before, effect, alpha)
        scenario = Scenario(
            metric=options["metric"], effect=effect, users=users, days=options["days"],
            daily=options["peek"] == "daily", correlation=options["correlation"],
        )  # fmt: skip
        bar = Bar(enabled=options["verbosity"] > 0)
        start = time.monotonic()
        try:
            runs = simulate(scenario, runs=options["runs"], seed=seed, progress=bar)
        finally:
            bar.close()
        seconds = time.monotonic() - start
        self.stdout.write(
            f"{len(runs):,} tests of {scenario.metric} with {users:,} users in {scenario.days} days; lift {effect:.1%}"
        )
        power = power_of(before, effect * before.mean, users // 2, alpha=alpha) if effect else None
        for label, words in [*errors(runs, effect, alpha), *findings(runs, effect, alpha, power)]:
            self.stdout.write(f"{label:40} {words}")
        self.stdout.write(f"{'seconds':40} {seconds:.0f}, {seconds / len(runs):.2f} a test")


def planned(before: Baseline, effect: float, alpha: float) -> int:
    """Users in all for finding the effect with the usual power."""
    if effect < PLANNED_FROM:
        raise CommandError(f"--users: is needed with an --effect under {PLANNED_FROM}, for which no size is planned.")
    users = plan(before, effect, weights=(1, 1), alpha=alpha).users
    low, high = BOUNDS["users"]
    if users > high:
        raise CommandError(f"--users: an --effect of {effect} takes {users:,}, and {high:,} are the most; give fewer.")
    return max(int(low), users)


def errors(runs: Sequence[Run], effect: float, alpha: float) -> Iterator[tuple[str, str]]:
    """How often each way of judging found an effect, and missed the true one."""
    readings = len(runs[0])
    yield "", f"at any of {readings} readings".ljust(28) + "at the end" if readings > 1 else "at the end"
    told: dict[str, Told] = {
        f"fixed-horizon p under {alpha}": partial(rates.fixed_horizon_found, alpha=alpha),
        "sequential interval without 0": partial(rates.sequential_found, alpha=alpha),
        "fixed-horizon interval misses the lift": partial(rates.fixed_horizon_missed, effect=effect),
        "sequential interval misses the lift": partial(rates.sequential_missed, effect=effect),
        "sample ratio alarm": lambda look: look.alarm,
    }
    for label, one in told.items():
        end = str(rates.at_the_end(runs, one))
        yield label, f"{rates.ever(runs, one)!s:28}{end}" if readings > 1 else end


def findings(runs: Sequence[Run], effect: float, alpha: float, power: float | None) -> Iterator[tuple[str, str]]:
    """What the tests say at the end, beside what is true."""
    for word, share in rates.words(runs).items():
        yield f"verdict: {word}", str(share)
    if power is not None:
        yield "power as planned", f"{power:6.1%}"
        yield "power found", str(rates.at_the_end(runs, partial(rates.fixed_horizon_found, alpha=alpha)))
    lift, cut = rates.mean_lift(runs), rates.mean_cut(runs)
    if lift is not None:
        yield "lift, on average", f"{lift:6.2%} (in truth {effect:.2%})"
    if cut is not None:
        yield "variance that CUPED takes", f"{cut:6.1%}"
