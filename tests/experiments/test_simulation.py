"""`manage.py simulate_experiment`: tests whose effect is known, in a database that is gone afterwards."""

import os
import re
import signal
import subprocess
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from scipy import stats

from experiments.assignment import assign
from experiments.mltask import no_progress
from experiments.models import ABTest, Exposure, ModelVersion, Outcome, Prediction
from experiments.results.metrics import METRICS
from experiments.simulation.runs import Scenario, simulate
from experiments.simulation.users import draw
from tests.experiments.experiment_rows import expose, outcome, prediction, started
from tests.processes import MANAGE
from tests.processes import started as process
from tests.waiting import until

COMMAND = (str(MANAGE), "simulate_experiment", "--users=60", "--days=3", "--effect=0.5")


def said(*arguments: str) -> str:
    out = StringIO()
    call_command("simulate_experiment", *arguments, stdout=out, no_color=True, verbosity=0)
    return out.getvalue()


def databases(pid: int) -> list[str]:
    """Those that simulations of this process made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", [rf"simulation\_{pid}\_%"])
        return [name for [name] in cursor.fetchall()]


def share(label: str, out: str) -> list[str]:
    """The percentages that stand behind a label, without their intervals."""
    [line] = [line for line in out.splitlines() if line.startswith(label)]
    return re.findall(r"([\d.]+)% \(", line)


@pytest.mark.django_db(transaction=True)
def test_an_effect_is_found_and_the_shops_rows_are_left_alone() -> None:
    test = started()
    expose(test, "control", 1)
    prediction(1, "control")
    outcome(1, day=2)
    out = said("--runs=3", "--users=60", "--days=3", "--effect=0.5", "--correlation=0.6")
    assert out.startswith("3 tests of revenue_per_user with 60 users in 3 days; lift 50.0%\n")
    assert "at any of 4 readings" in out
    assert share("fixed-horizon p under 0.05", out)[-1] == "100.0"
    assert share("power found", out) == ["100.0"]
    lift = re.search(r"lift, on average +([\d.]+)% \(in truth 50.00%\)", out)
    cut = re.search(r"variance that CUPED takes +([\d.]+)%", out)
    assert lift and 40 < float(lift[1]) < 60
    assert cut and 20 < float(cut[1]) < 55
    assert [model.objects.count() for model in (ABTest, Exposure, Prediction, Outcome, ModelVersion)] == [1, 1, 1, 1, 0]
    assert not databases(os.getpid())


def drawn_again(scenario: Scenario, seed: int, number: int) -> float:
    """What Welch's t says of a test of revenue, of the same draws and without a database."""
    random = np.random.default_rng([seed, number])
    salt = random.bytes(8).hex()
    new = np.array([assign(salt, user, traffic=1.0, weights=(1, 1)) == 1 for user in range(scenario.users)])
    spent = draw(METRICS[scenario.metric], np.where(new, scenario.effect, 0.0), 0.0, random).after
    spent = np.minimum(spent, np.quantile(spent, 0.99))
    return float(stats.ttest_ind(spent[new], spent[~new], equal_var=False).pvalue)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("daily", "seed", "readings"), [(True, 1, 3), (False, 2, 1)])
def test_the_last_reading_is_what_scipy_says_of_the_same_draws(daily: bool, seed: int, readings: int) -> None:
    scenario = Scenario(metric="revenue_per_user", effect=0.1, users=60, days=2, daily=daily, correlation=0.0)
    runs = simulate(scenario, runs=2, seed=seed, progress=no_progress)
    assert [len(run) for run in runs] == [readings, readings]
    found = [run[-1].absolute.p for run in runs if run[-1].absolute]
    assert found == pytest.approx([drawn_again(scenario, seed, number) for number in (0, 1)])


@pytest.mark.django_db(transaction=True)
@pytest.mark.slow
def test_of_two_at_once_one_is_interrupted_and_the_other_goes_on() -> None:
    with process(*COMMAND, "--runs=100000", "--verbosity=0") as long, process(*COMMAND, "--runs=2") as short:
        until(lambda: databases(long.pid) and databases(short.pid), within=60)
        long.send_signal(signal.SIGINT)
        assert long.wait(60) == 1
        assert long.stdout
        assert long.stdout.read() == "CommandError: Stopped by the keyboard; nothing was stored.\n"
        assert not databases(long.pid)
        assert "power found" in finished(short)
        assert not databases(short.pid)


def finished(short: "subprocess.Popen[str]") -> str:
    out, _ = short.communicate(timeout=60)
    assert short.returncode == 0, out
    return out


@pytest.mark.django_db(transaction=True)
def test_who_may_not_make_a_database_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE simulation_guest LOGIN")
    try:
        monkeypatch.setitem(connection.settings_dict, "USER", "simulation_guest")
        with pytest.raises(CommandError, match=r"A simulation needs a database of its own.*permission denied"):
            said("--effect=0.5")
    finally:
        monkeypatch.undo()
        connection.close()
        with connection.cursor() as cursor:
            cursor.execute("DROP ROLE simulation_guest")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--effect=-0.1"], r"--effect: expected 0 to 1, got -0\.1"),
        (["--effect=nan"], "--effect: expected 0 to 1, got nan"),
        (["--effect=ten"], "--effect: invalid float value: 'ten'"),
        ([], r"--users: is needed with an --effect under 0\.001"),
        (["--effect=0.0005"], r"--users: is needed with an --effect under 0\.001"),
        (["--effect=0.001"], r"--users: an --effect of 0\.001 takes 5,\d+,\d+, and 1,000,000 are the most"),
        (["--users=3"], "--users: expected 4 to 1,000,000, got 3"),
        (["--users=0"], "--users: expected 4 to 1,000,000, got 0"),
        (["--users=1e3"], "--users: invalid int value: '1e3'"),
        (["--users=10", "--runs=0"], "--runs: expected 1 to 100,000, got 0"),
        (["--users=10", "--days=366"], "--days: expected 1 to 365, got 366"),
        (["--users=10", "--correlation=1"], r"--correlation: expected 0 to 0\.95, got 1\.0"),
        (["--users=10", "--alpha=0"], r"--alpha: expected 0\.0001 to 0\.5, got 0\.0"),
        (["--users=10", "--seed=-1"], "--seed: expected 0 to 4,294,967,295, got -1"),
        (["--users=10", "--peek=hourly"], "--peek: invalid choice: 'hourly'"),
        (["--users=10", "--metric=latency_p95"], "--metric: invalid choice: 'latency_p95'"),
    ],
)
def test_what_is_wrong_is_said_with_the_option_and_its_bound(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        said(*arguments)
