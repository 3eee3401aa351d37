"""`manage.py train`, `evaluate`, `promote`, `rollback`, `models`: what they print, their errors and exit codes."""

import json
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from experiments.models import ModelVersion, Promotion
from experiments.registry import live_version
from reviews.models import Review
from tests.experiments.conftest import Version
from tests.processes import manage

FIGURES = r"macro_f1 \d\.\d{4}, accuracy \d\.\d{4}, auc \d\.\d{4}, calibration_error \d\.\d{4}"


def said(*arguments: str) -> str:
    out = StringIO()
    call_command(*arguments, stdout=out, no_color=True, verbosity=0)
    return out.getvalue()


def test_train_says_what_it_made_and_how_to_put_it_live(reviewed: None) -> None:
    out = said("train", "sentiment")
    pattern = (
        r"sentiment 1 \(tfidf\): trained on 86 rows in \d\.\d s; on 24 held-out rows: " + FIGURES + r"\n"
        r"Put it live with: manage.py promote sentiment 1\n"
    )
    assert re.fullmatch(pattern, out), out
    assert not ModelVersion.objects.get().live


def test_train_takes_parameters_as_json_or_else_as_text(reviewed: None) -> None:
    said("train", "sentiment", "--param", "c=3.5", "--param", "longest=2", "--algorithm", "tfidf")
    assert ModelVersion.objects.get().params == {"c": 3.5, "longest": 2}


def test_train_with_promote_puts_the_version_live(reviewed: None) -> None:
    assert said("train", "sentiment", "--promote").endswith("sentiment 1 (tfidf) is live.\n")
    assert Promotion.objects.get().reason == "trained with --promote"


def test_train_with_promote_keeps_a_version_that_the_gate_refuses(reviewed: None) -> None:
    said("train", "sentiment", "--promote")
    with pytest.raises(CommandError, match="sentiment 2 is worse than the live version 1"):
        said("train", "sentiment", "--promote", "--param", "min_df=80")
    assert live_version("sentiment").version == 1
    assert ModelVersion.objects.count() == 2


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "flavour"], "invalid choice: 'flavour'"),
        (["train", "sentiment", "--param", "c"], "invalid name=value value: 'c'"),
        (["train", "sentiment", "--param", "a b=1"], "invalid name=value value"),
        (["train", "sentiment", "--param", "=1"], "invalid name=value value"),
        (["train", "sentiment", "--param", "c=NaN"], "invalid name=value value"),
        (["train", "sentiment", "--param", "c=-Infinity"], "invalid name=value value"),
        (["train", "sentiment", "--algorithm", "magic"], r"no algorithm magic\. Known are: tfidf"),
        (["train", "sentiment"], "no rows to fit sentiment on: import some, or run `manage.py demo`"),
        (["train", "recommend"], "no rows to fit recommend on: import some, or run `manage.py demo`"),
        (["evaluate", "sentiment"], "sentiment has no live version. Name one with --version-number, or train one"),
        (["evaluate", "sentiment", "--version-number", "7"], "sentiment has no version 7"),
        (["evaluate", "sentiment", "--part", "fit"], "invalid choice: 'fit'"),
        (["promote", "sentiment", "7"], "sentiment has no version 7"),
        (["promote", "sentiment", "x"], "invalid int value: 'x'"),
        (["promote", "sentiment", "7", "--force"], "A forced promotion needs a reason"),
        (["rollback", "sentiment"], "sentiment has no version before the live one to go back to"),
        (["models", "flavour"], "invalid choice: 'flavour'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says) as refused:
        said(*arguments)
    assert "\n" not in str(refused.value)
    assert refused.value.returncode == 1


def test_a_parameter_that_the_algorithm_does_not_take_is_named(reviewed: None) -> None:
    with pytest.raises(CommandError, match=r"tfidf does not take these parameters: .*'depth'"):
        said("train", "sentiment", "--param", "depth=3")
    with pytest.raises(CommandError, match=r"tfidf does not take these parameters: .*'many'"):
        said("train", "sentiment", "--param", "c=many")


def test_evaluate_measures_the_live_version_or_another(reviewed: None) -> None:
    said("train", "sentiment", "--promote")
    said("train", "sentiment", "--param", "min_df=80")
    live, other = said("evaluate", "sentiment"), said("evaluate", "sentiment", "--version-number", "2")
    pattern = r"sentiment (\d) \(tfidf\) on 24 rows of the test part: " + FIGURES + "\n"
    assert re.fullmatch(pattern, live)[1] == "1"
    assert re.fullmatch(pattern, other)[1] == "2"
    assert "macro_f1 1.0000" in live
    assert "macro_f1 1.0000" not in other


def test_evaluate_prints_json_for_programs(reviewed: None) -> None:
    said("train", "sentiment", "--promote")
    found = json.loads(said("evaluate", "sentiment", "--json", "--part", "validation"))
    assert 0 < found.pop("calibration_error") < 0.1
    assert found == {"task": "sentiment", "version": 1, "rows": 10, "macro_f1": 1.0, "auc": 1.0, "accuracy": 1.0}


def test_evaluate_says_when_a_part_has_no_rows(reviewed: None) -> None:
    said("train", "sentiment", "--promote")
    Review.objects.all().delete()
    with pytest.raises(CommandError, match="The test part of sentiment has no rows"):
        said("evaluate", "sentiment")


def test_promote_shows_the_comparison(reviewed: None, promoted: Version, version: Version) -> None:
    promoted(score=0.7)
    version(score=0.8)
    assert said("promote", "sentiment", "2", "--reason", "better") == (
        "macro_f1 0.8000, the version before 0.7000; difference +0.1000 (+0.1000 to +0.1000)\n"
        "sentiment 2 (scripted) is live. Every process serves it within 2 seconds.\n"
    )
    assert Promotion.objects.first().reason == "better"


def test_promote_refuses_a_worse_version_unless_forced(reviewed: None, promoted: Version, version: Version) -> None:
    promoted(score=0.7)
    version(score=0.6)
    with pytest.raises(CommandError, match=r"macro_f1 0\.6000 against 0\.7000"):
        said("promote", "sentiment", "2")
    assert "sentiment 2 (scripted) is live" in said("promote", "sentiment", "2", "--force", "--reason", "faster")


def test_rollback_says_what_is_live_again(promoted: Version) -> None:
    promoted()
    promoted()
    assert said("rollback", "sentiment", "--reason", "complaints") == (
        "sentiment 1 (scripted) is live again instead of sentiment 2 (scripted).\n"
    )
    assert Promotion.objects.first().reason == "complaints"


def test_models_lists_the_versions_of_each_task_newest_first(reviewed: None) -> None:
    said("train", "sentiment", "--promote")
    said("train", "sentiment")
    lines = said("models").splitlines()
    at = lines.index("sentiment (algorithms: tfidf, hub, minilm)")
    assert re.fullmatch(r"     2        tfidf                \d{4}-\d\d-\d\d \d\d:\d\d  " + FIGURES, lines[at + 1])
    assert re.fullmatch(r"     1  live  tfidf                \d{4}-\d\d-\d\d \d\d:\d\d  " + FIGURES, lines[at + 2])
    assert "recommend (algorithms: ease, als, item_neighbours, user_neighbours)" in lines
    assert "  none yet: manage.py train recommend" in lines
    assert "recommend" not in said("models", "sentiment")


@pytest.mark.django_db(transaction=True)
def test_in_a_shell_an_error_is_one_line_without_a_traceback_and_exit_code_1() -> None:
    done = manage("rollback", "sentiment")
    assert done.returncode == 1
    assert done.stderr == "CommandError: sentiment has no version before the live one to go back to.\n"
    assert done.stdout == ""
