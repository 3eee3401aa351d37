"""Statements that are planned once a connection."""

from typing import Any

import pytest
from django.db import ProgrammingError, connection, transaction

from experiments.prepared import execute

SUM = "SELECT %(a)s::int + %(b)s::int + %(a)s::int, '100 %%'"


def ask(sql: str, **values: Any) -> Any:
    with connection.cursor() as cursor:
        execute(cursor, sql, values)
        return cursor.fetchone()


def prepared() -> int:
    return int(ask_plainly("SELECT count(*) FROM pg_prepared_statements")[0])


def ask_plainly(sql: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()


@pytest.mark.django_db
def test_a_statement_is_answered_each_time_with_its_values() -> None:
    assert [ask(SUM, a=1, b=b) for b in (1, 2)] == [(3, "100 %"), (4, "100 %")]
    assert ask("SELECT 1") == (1,)


@pytest.mark.django_db
def test_it_is_prepared_once_a_connection() -> None:
    ask(SUM, a=1, b=1)
    before = prepared()
    ask(SUM, a=2, b=2)
    assert prepared() == before
    ask(f"{SUM} AS another", a=1, b=1)
    assert prepared() == before + 1


@pytest.mark.django_db(transaction=True)
def test_a_new_connection_prepares_it_anew() -> None:
    ask(SUM, a=1, b=1)
    connection.close()
    assert ask(SUM, a=1, b=1) == (3, "100 %")
    assert prepared() == 1


@pytest.mark.django_db
def test_it_counts_as_one_query(django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(2):
        ask("SELECT %(a)s::int * 3", a=1)
        ask("SELECT %(a)s::int * 3", a=2)


@pytest.mark.django_db
def test_a_wrong_one_is_an_error_and_can_be_said_again(db: None) -> None:
    for _ in range(2):
        with pytest.raises(ProgrammingError), transaction.atomic():
            ask("SELECT no_such_column FROM reviews_product WHERE id = %(a)s", a=1)
    assert ask(SUM, a=1, b=1) == (3, "100 %")


@pytest.mark.django_db
def test_behind_a_pool_that_deals_out_statements_nothing_is_prepared(monkeypatch: pytest.MonkeyPatch) -> None:
    before = prepared()
    monkeypatch.setitem(connection.settings_dict, "DISABLE_SERVER_SIDE_CURSORS", True)
    assert ask("SELECT %(a)s::int * 4, '100 %%'", a=2) == (8, "100 %")
    assert prepared() == before
