"""`manage.py prune_predictions`: whole months go into files, and nothing is lost wherever it stops."""

import gzip
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from experiments.mltask import no_progress
from experiments.models import Exposure, Prediction, PredictionRollup, Watermark
from experiments.monitoring import exports, pruning
from experiments.monitoring.exports import contents_in, contents_of, exported, kept
from experiments.monitoring.rollups import rollups_update
from experiments.prediction_log import FIELDS, prediction_record
from experiments.uuid7 import uuid7_floor
from tests.experiments.pruned import APRIL, MARCH, MAY, NASTY, TABLES, Months, counted, files, prune, rows_in
from tests.experiments.rolled import log, prediction, total
from tests.experiments.test_partitions import TABLE, partitions, placed, query


@pytest.mark.django_db
def test_each_old_month_becomes_a_file_and_leaves_the_log(months: Months, tmp_path: Path) -> None:
    months(march=3, april=2)
    log(timezone.now())
    said = prune(tmp_path)
    assert files(tmp_path) == [f"{TABLES[0]}.csv.gz", f"{TABLES[1]}.csv.gz"]
    assert [len(rows_in(tmp_path / name)) for name in files(tmp_path)] == [3, 2]
    assert not {*TABLES} & partitions()
    assert Prediction.objects.count() == 1
    assert query("SELECT relname FROM pg_class WHERE relname LIKE '%_2025_0%'") == []
    assert f"{TABLES[0]}: 3 predictions" in said and said.endswith("2 months dropped.\n")


@pytest.mark.django_db
def test_months_from_the_bound_on_stay(months: Months, tmp_path: Path) -> None:
    months()
    prune(tmp_path, older_than="2025-04")
    assert files(tmp_path) == [f"{TABLES[0]}.csv.gz"]
    assert placed() == {TABLES[1]: 2}
    assert prune(tmp_path, older_than="2025-04") == "There is no such month.\n"


@pytest.mark.django_db
def test_the_file_holds_every_column_and_can_be_read_into_a_table_again(months: Months, tmp_path: Path) -> None:
    months(march=0)
    rows = [
        prediction(MARCH, input={"text": NASTY, "list": [1, None, True, 1e-300]}, output=None, version=None,
                   confidence=None, user_id=2**40, method=r"\N", request_id=NASTY[:60], latency_ms=0.1 + 0.2),
        prediction(MARCH, output={"a": "x" * 300_000}, confidence=0.7, variant="b", status="error"),
    ]  # fmt: skip
    prediction_record(rows)
    before = list(Prediction.objects.filter(pk__lt=uuid7_floor(APRIL)).order_by("pk").values())
    prune(tmp_path)
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE TABLE again (LIKE {TABLE})")
        with gzip.open(tmp_path / f"{TABLES[0]}.csv.gz") as file:
            cursor.copy_expert("COPY again FROM STDIN (FORMAT csv, HEADER, NULL '\\N')", file)
        cursor.execute(f"INSERT INTO {TABLE} SELECT * FROM again")
    assert list(Prediction.objects.order_by("pk").values()) == before
    assert len(before) == 2 and None in [row["output"] for row in before]


@pytest.mark.django_db
def test_only_the_owner_may_read_the_file(months: Months, tmp_path: Path) -> None:
    months()
    prune(tmp_path)
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


@pytest.mark.django_db
def test_rollups_and_exposures_stay(months: Months, tmp_path: Path) -> None:
    months()
    Watermark.objects.all().delete()
    rollups_update(now=APRIL + timedelta(hours=1))
    rollups_update(now=APRIL + timedelta(hours=1))
    counted()
    days = total("day")
    prune(tmp_path)
    assert total("day") == days == 5
    assert PredictionRollup.objects.exists()
    assert Exposure.objects.count() == 0


@pytest.mark.django_db
def test_predictions_of_months_that_were_never_made_go_too(months: Months, tmp_path: Path) -> None:
    log(MARCH, MARCH + timedelta(days=3), APRIL, MAY)
    counted()
    assert set(placed()) == {f"{TABLE}_default"}
    prune(tmp_path)
    assert [len(rows_in(tmp_path / f"{name}.csv.gz")) for name in TABLES] == [2, 1]
    assert Prediction.objects.count() == 1


@pytest.mark.django_db
def test_an_empty_month_goes_with_an_empty_file(months: Months, tmp_path: Path) -> None:
    months(march=0, april=0)
    prune(tmp_path)
    assert [rows_in(tmp_path / name) for name in files(tmp_path)] == [[], []]
    assert not {*TABLES} & partitions()


@pytest.mark.django_db
def test_a_dry_run_says_what_would_go_and_does_nothing(months: Months, tmp_path: Path) -> None:
    months()
    log(datetime(2024, 12, 31, tzinfo=UTC))
    said = prune(None, "--dry-run")
    assert said.splitlines() == [
        f"{TABLES[0]}: 3 predictions would go", f"{TABLES[1]}: 2 predictions would go",
        f"{TABLE}_default: 1 predictions would go",
    ]  # fmt: skip
    assert {*TABLES} <= partitions()
    assert Prediction.objects.count() == 6


@pytest.mark.django_db
def test_where_nothing_is_that_old_it_is_said(tmp_path: Path) -> None:
    counted()
    assert prune(None, "--dry-run") == prune(tmp_path) == "There is no such month.\n"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "the following arguments are required: --older-than"),
        (["--older-than", "2025"], "invalid month, such as 2026-01 value: '2025'"),
        (["--older-than", "2025-13"], "invalid month"),
        (["--older-than", "2025-05"], "Name the folder for the files: --to FOLDER"),
        (["--older-than", "2025-05", "--to", "/no/such/folder"], "There is no folder /no/such/folder"),
        (["--older-than", "2999-01", "--to", "/tmp"], "months that are not over stay"),
    ],
)
def test_what_is_wrong_is_said_in_one_line_and_nothing_goes(arguments: list[str], says: str, months: Months) -> None:
    months()
    with pytest.raises(CommandError, match=says):
        call_command("prune_predictions", *arguments, verbosity=0)
    assert {*TABLES} <= partitions()


@pytest.mark.django_db
def test_months_that_are_not_counted_yet_stay(months: Months, tmp_path: Path) -> None:
    months()
    Watermark.objects.all().delete()
    with pytest.raises(CommandError, match=r"not counted yet\. Let the worker run"):
        prune(tmp_path)
    counted(MAY + timedelta(minutes=59))  # its last hour may be counted anew
    with pytest.raises(CommandError, match=r"counted up to 2025-05-01 00:59.* has come to 2025-05-01 01:00 UTC"):
        prune(tmp_path)
    assert Prediction.objects.count() == 5 and files(tmp_path) == []


# Killed in between: each test begins where a killed run would have stopped.


@pytest.mark.django_db
def test_killed_while_it_wrote_the_next_run_writes_anew_and_tidies_up(months: Months, tmp_path: Path) -> None:
    months()
    (tmp_path / f"{TABLES[0]}.part.csv.gz").write_bytes(b"half of")
    prune(tmp_path)
    assert files(tmp_path) == [f"{name}.csv.gz" for name in TABLES]
    assert len(rows_in(tmp_path / f"{TABLES[0]}.csv.gz")) == 3


@pytest.mark.django_db
def test_killed_when_the_file_was_there_the_next_run_takes_it(months: Months, tmp_path: Path) -> None:
    months()
    path, _ = exported(TABLES[0], tmp_path, no_progress)
    made = path.stat().st_mtime_ns
    prune(tmp_path)
    assert (tmp_path / f"{TABLES[0]}.csv.gz").stat().st_mtime_ns == made
    assert files(tmp_path) == [f"{name}.csv.gz" for name in TABLES]
    assert Prediction.objects.count() == 0


@pytest.mark.django_db
def test_killed_when_the_month_was_detached_the_next_run_goes_on(months: Months, tmp_path: Path) -> None:
    months()
    pruning._detach(TABLES[0])
    assert Prediction.objects.count() == 2
    prune(tmp_path)
    assert len(rows_in(tmp_path / f"{TABLES[0]}.csv.gz")) == 3
    assert query(f"SELECT to_regclass('{TABLES[0]}')") == [(None,)]


@pytest.mark.django_db
def test_what_fails_after_the_month_was_detached_puts_it_back(
    months: Months, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months()

    def stopped(*given: object) -> Path:
        raise KeyboardInterrupt

    monkeypatch.setattr(pruning, "kept", stopped)
    with pytest.raises(CommandError, match="the others are in the log"):
        prune(tmp_path)
    assert placed() == {TABLES[0]: 3, TABLES[1]: 2}
    monkeypatch.undo()
    prune(tmp_path)
    assert files(tmp_path) == [f"{name}.csv.gz" for name in TABLES]


@pytest.mark.django_db
def test_the_last_hour_of_the_month_stays_counted_once_it_is_gone(months: Months, tmp_path: Path) -> None:
    months(march=0, april=0)
    log(*(MAY - timedelta(minutes=number) for number in range(1, 60)))
    Watermark.objects.all().delete()
    for _ in range(3):
        rollups_update(now=MAY + timedelta(hours=1))
    prune(tmp_path)
    rollups_update(now=MAY + timedelta(hours=1, seconds=15))
    assert total("hour") == total("day") == 59


@pytest.mark.django_db
@pytest.mark.parametrize("damage", [b"", b"no gzip", None], ids=["empty", "something else", "cut"])
def test_a_file_of_that_name_that_does_not_hold_the_month_is_never_written_over(
    months: Months, tmp_path: Path, damage: bytes | None
) -> None:
    months(march=500)
    path = kept(exported(TABLES[0], tmp_path, no_progress)[0], TABLES[0])
    left = path.read_bytes()[:-20] if damage is None else damage
    path.write_bytes(left)
    prune(tmp_path)
    assert path.read_bytes() == left
    assert len(rows_in(tmp_path / f"{TABLES[0]}.2.csv.gz")) == 500


@pytest.mark.django_db
def test_a_month_that_came_back_gets_a_file_beside_the_first(months: Months, tmp_path: Path) -> None:
    months(march=3)
    prune(tmp_path)
    months(march=1)
    prune(tmp_path)
    assert [len(rows_in(tmp_path / f"{TABLES[0]}{number}.csv.gz")) for number in ("", ".2")] == [3, 1]


@contextmanager
def full_disk(left: int) -> Iterator[None]:
    """No file of this process can grow over so many bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.django_db
def test_a_full_disk_is_said_and_nothing_goes(months: Months, tmp_path: Path) -> None:
    months(march=0)
    log(*(MARCH + timedelta(seconds=number) for number in range(2_000)))
    with (
        full_disk(5_000),
        pytest.raises(CommandError, match="cannot be written: File too large"),
    ):
        prune(tmp_path)
    assert files(tmp_path) == []
    assert placed() == {TABLES[0]: 2_000, TABLES[1]: 2}
    prune(tmp_path)
    assert len(rows_in(tmp_path / f"{TABLES[0]}.csv.gz")) == 2_000


@pytest.mark.django_db
def test_a_file_that_does_not_hold_what_was_written_is_not_trusted(
    months: Months, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    months()
    some = r"COPY (SELECT {columns} FROM {{table}} LIMIT 2) TO STDOUT (FORMAT csv, HEADER, NULL '\N')"
    monkeypatch.setattr(exports, "COPY", some.format(columns=", ".join(FIELDS)))
    with pytest.raises(CommandError, match=r"does not hold what was written to it\. .* stays"):
        prune(tmp_path)
    assert files(tmp_path) == []
    assert Prediction.objects.count() == 5


@pytest.mark.django_db
@pytest.mark.parametrize("change", ["one cell", "one row less", "one row more", "columns in another order"])
def test_the_checksum_sees_any_change_of_the_file(months: Months, tmp_path: Path, change: str) -> None:
    months()
    path, found = exported(TABLES[0], tmp_path, no_progress)
    assert contents_in(path) == found == contents_of(TABLES[0])
    lines = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    changed = {
        "one cell": [*lines[:-1], lines[-1].replace("tfidf", "tfidg")],
        "one row less": lines[:-1],
        "one row more": [*lines, lines[-1]],
        "columns in another order": [",".join([*FIELDS[1:], FIELDS[0]]) + "\n", *lines[1:]],
    }[change]
    path.write_bytes(gzip.compress("".join(changed).encode()))
    assert contents_in(path) != found


@pytest.mark.django_db
def test_the_checksum_does_not_depend_on_the_order_of_the_rows(months: Months, tmp_path: Path) -> None:
    months()
    path, found = exported(TABLES[0], tmp_path, no_progress)
    first, *rest = gzip.decompress(path.read_bytes()).decode().splitlines(keepends=True)
    path.write_bytes(gzip.compress("".join([first, *rest[::-1]]).encode()))
    assert contents_in(path) == found
