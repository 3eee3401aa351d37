"""The monthly partitions of the prediction log."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from experiments.models import Prediction
from experiments.prediction_log import months_ahead, partitions_ensure, prediction_record
from experiments.tasks import make_partitions
from experiments.uuid7 import uuid7, uuid7_floor
from tests.concurrency import at_once
from tests.experiments.test_prediction_log import prediction

TABLE = "experiments_prediction"
FAR = datetime(2041, 12, 15, 12, tzinfo=UTC)  # its months are not there
NAMES = [f"{TABLE}_2041_12", f"{TABLE}_2042_01", f"{TABLE}_2042_02"]


def query(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return list(cursor.fetchall())


def partitions() -> set[str]:
    found = query(f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{TABLE}'::regclass")
    return {str(name) for (name,) in found}


def placed() -> dict[str, int]:
    """How many rows lie in which partition."""
    return dict(query(f"SELECT tableoid::regclass::text, count(*) FROM {TABLE} GROUP BY 1"))


def at(moment: datetime) -> Prediction:
    return prediction(id=uuid7_floor(moment), created_at=moment)


@pytest.fixture
def clean_up(transactional_db: None) -> Iterator[None]:
    yield
    for name in NAMES:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {name}")


@pytest.mark.django_db
def test_the_table_is_partitioned_by_its_id_alone_from_the_first_migration() -> None:
    assert query(f"SELECT pg_get_partkeydef('{TABLE}'::regclass)") == [("RANGE (id)",)]
    assert query(f"SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = '{TABLE}_pkey'") == [
        ("PRIMARY KEY (id)",)
    ]


@pytest.mark.django_db
def test_this_month_and_two_more_are_there_after_migrate() -> None:
    names = {f"{TABLE}_{month:%Y_%m}" for month in months_ahead(timezone.now(), 2)}
    assert {*names, f"{TABLE}_default"} <= partitions()


def test_months_run_over_the_end_of_the_year() -> None:
    assert [f"{month:%Y-%m-%d %H:%M %Z}" for month in months_ahead(FAR, 2)] == [
        "2041-12-01 00:00 UTC", "2042-01-01 00:00 UTC", "2042-02-01 00:00 UTC"
    ]  # fmt: skip


@pytest.mark.django_db
def test_a_prediction_of_now_lies_in_this_month() -> None:
    now = timezone.now()
    prediction_record([prediction(id=uuid7())])
    assert placed() in ({f"{TABLE}_{now:%Y_%m}": 1}, {f"{TABLE}_{timezone.now():%Y_%m}": 1})


@pytest.mark.django_db
def test_rows_of_no_month_wait_in_the_default_partition_and_move_when_their_month_is_made() -> None:
    first, last = datetime(2041, 12, 1, tzinfo=UTC), datetime(2042, 1, 1, tzinfo=UTC) - timedelta(milliseconds=1)
    outside = datetime(2045, 1, 1, tzinfo=UTC)
    rows = [at(moment) for moment in (first, FAR, last, last + timedelta(milliseconds=1), outside)]
    prediction_record(rows)
    assert placed() == {f"{TABLE}_default": 5}
    assert partitions_ensure(now=FAR) == NAMES
    assert placed() == {NAMES[0]: 3, NAMES[1]: 1, f"{TABLE}_default": 1}
    assert set(Prediction.objects.values_list("pk", flat=True)) == {row.pk for row in rows}


@pytest.mark.django_db
def test_a_made_month_has_the_indexes_and_the_key_of_the_table() -> None:
    partitions_ensure(now=FAR)
    sql = "SELECT replace(indexdef, '{0}', 't') FROM pg_indexes WHERE tablename = '{0}'"
    columns = [
        {str(definition).split("USING ")[1] for (definition,) in query(sql.format(name))} for name in (TABLE, NAMES[0])
    ]
    assert columns[0] == columns[1]
    assert len(columns[0]) == 5


@pytest.mark.django_db
def test_making_them_twice_makes_nothing_the_second_time() -> None:
    assert partitions_ensure(now=FAR, ahead=1) == NAMES[:2]
    assert partitions_ensure(now=FAR, ahead=1) == []
    assert partitions_ensure(now=FAR) == NAMES[2:]


@pytest.mark.django_db
def test_the_worker_makes_them_ahead() -> None:
    name = f"{TABLE}_{months_ahead(timezone.now(), 2)[-1]:%Y_%m}"
    query_all = partitions()
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")
    make_partitions()
    assert partitions() == query_all


def test_two_at_once_make_each_month_once(clean_up: None) -> None:
    made = at_once(*[lambda: partitions_ensure(now=FAR)] * 3)
    assert sorted(made, key=len) == [[], [], NAMES]


def test_predictions_written_meanwhile_are_neither_lost_nor_in_the_way(clean_up: None) -> None:
    def write() -> list[str]:
        for number in range(60):
            prediction_record([at(FAR + timedelta(minutes=number, seconds=offset)) for offset in range(5)])
        return []

    prediction_record([at(FAR - timedelta(days=1))])
    made = at_once(write, lambda: partitions_ensure(now=FAR))
    assert made == [[], NAMES]
    assert placed() == {NAMES[0]: 301}


@pytest.mark.django_db
def test_a_filter_on_time_reads_only_its_months() -> None:
    partitions_ensure(now=FAR)
    rows = Prediction.objects.filter(id__gte=uuid7_floor(FAR), id__lt=uuid7_floor(FAR + timedelta(days=3)))
    plan = json.dumps(json.loads(rows.explain(format="json")))
    assert NAMES[0] in plan
    assert NAMES[1] not in plan
