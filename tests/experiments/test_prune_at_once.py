"""Pruning while others write, erase, prune as well, or kill it."""

from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError
from django.db import connection
from django.utils import timezone

from experiments.models import Prediction
from experiments.monitoring import pruning
from experiments.monitoring.exports import Contents, contents_of
from tests.concurrency import at_once
from tests.experiments.pruned import TABLES, Months, files, prune, rows_in
from tests.experiments.rolled import log
from tests.experiments.test_partitions import TABLE
from tests.experiments.test_prediction_log import second_connection
from tests.processes import MANAGE, manage, started
from tests.waiting import until


def test_what_is_erased_while_the_file_is_written_is_not_in_it(
    committed: Months, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed()
    detach = pruning._detach

    def erase_first(table: str) -> None:
        if table == TABLES[0]:
            gone = Prediction.objects.order_by("pk").values_list("pk", flat=True)[0]
            at_once(lambda: Prediction.objects.filter(pk=gone).delete())
        detach(table)

    monkeypatch.setattr(pruning, "_detach", erase_first)
    prune(tmp_path)
    [left] = [name for name in files(tmp_path) if TABLES[0] in name]
    assert len(rows_in(tmp_path / left)) == 2
    assert Prediction.objects.count() == 0


def test_two_at_once_are_one_and_the_other_is_told_so(committed: Months, tmp_path: Path) -> None:
    committed(march=2_000)

    def run() -> Any:
        try:
            return prune(tmp_path)
        except CommandError as error:
            return str(error)

    said = at_once(*[run] * 4)
    assert files(tmp_path) == [f"{name}.csv.gz" for name in TABLES]
    assert len(rows_in(tmp_path / f"{TABLES[0]}.csv.gz")) == 2_000
    assert sum(one.endswith("2 months dropped.\n") for one in said) == 1
    assert {one for one in said if "dropped" not in one} <= {
        "Another run is pruning predictions now.", "There is no such month.\n"
    }  # fmt: skip


def test_it_gives_way_to_who_uses_the_log_and_says_so_in_the_end(
    committed: Months, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    committed()
    monkeypatch.setattr(pruning, "TRIES", 2)
    monkeypatch.setattr(pruning, "WAIT_S", 0.05)
    with second_connection() as cursor:
        cursor.execute("BEGIN")
        cursor.execute(f"SELECT count(*) FROM {TABLE}")
        with pytest.raises(CommandError, match=f"in use all the time: {TABLES[0]} stays"):
            prune(tmp_path)
        cursor.execute("ROLLBACK")
    assert Prediction.objects.count() == 5
    Prediction.objects.order_by("pk").all()[0].delete()
    prune(tmp_path)
    assert files(tmp_path) == [f"{name}.csv.gz" for name in TABLES]
    assert len(rows_in(tmp_path / f"{TABLES[0]}.csv.gz")) == 2  # what was erased since is in no file


def test_predictions_are_written_all_the_while(committed: Months, tmp_path: Path) -> None:
    committed(march=3_000)

    def write() -> str:
        for _ in range(200):
            log(timezone.now())
        return ""

    at_once(write, lambda: prune(tmp_path))
    assert Prediction.objects.count() == 200
    assert len(rows_in(tmp_path / f"{TABLES[0]}.csv.gz")) == 3_000


@pytest.mark.slow
def test_a_real_process_that_is_killed_loses_nothing(committed: Months, tmp_path: Path) -> None:
    committed(march=0)
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {TABLE} (id, task, algorithm, variant, method, request_id, input, latency_ms, status,"
            " created_at) SELECT ('0195' || lpad(to_hex(n), 8, '0') || '7000' || left(md5(n::text), 16))::uuid,"
            " 'sentiment', '', '', '', md5(n::text), '{}', 1, 'ok', now() FROM generate_series(1, 200000) AS n"
        )
    before = Prediction.objects.count()
    command = ["prune_predictions", "--older-than", "2025-05", "--to", str(tmp_path)]
    with started(str(MANAGE), *command) as process:
        until((tmp_path / f"{TABLE}_2025_02.part.csv.gz").exists, within=60)  # of those rows; what is smaller is done
        process.kill()
    assert Prediction.objects.count() == 200_000
    done = manage(*command)
    assert done.returncode == 0, done.stderr
    names = [name for name in files(tmp_path) if name.endswith(".csv.gz")]
    assert sum(len(rows_in(tmp_path / name)) for name in names) == before
    assert not [name for name in files(tmp_path) if ".part." in name]
    assert Contents(0, 0) == contents_of(f"{TABLE}_default")
