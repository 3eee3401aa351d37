"""The read of the caller, the first query of a request: one query, and it mends a connection that has died."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg2
import pytest
from django.db import connection
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken, RefreshToken

from mlbackend.accounts.models import User
from tests.problems import assert_problem

ME = "/api/v1/auth/me/"
SignedIn = Callable[[User], APIClient]


def test_the_caller_costs_one_query(customer: User, signed_in: SignedIn, django_assert_num_queries: Any) -> None:
    client = signed_in(customer)
    with django_assert_num_queries(1):
        assert client.get(ME).json()["username"] == customer.username


def test_a_token_ends_at_its_time_also_in_a_process_that_has_seen_it(customer: User, api: APIClient) -> None:
    token = AccessToken.for_user(customer)
    token.set_exp(lifetime=timedelta(seconds=2))  # it is kept in whole seconds, so between one and two
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {token}")
    assert api.get(ME).status_code == 200
    time.sleep(2.1)
    assert_problem(api.get(ME), 401, "token_not_valid")


def test_a_refresh_token_opens_nothing(customer: User, api: APIClient) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Bearer {RefreshToken.for_user(customer)}")
    for _ in range(2):
        assert_problem(api.get(ME), 401, "token_not_valid")


def test_the_api_sets_no_cookie_and_asks_for_no_session(customer: User, signed_in: SignedIn) -> None:
    client = signed_in(customer)
    client.cookies["sessionid"] = "x" * 32
    answer = client.get(ME)
    assert answer.status_code == 200
    assert not answer.cookies


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_died_between_two_requests_is_opened_anew(customer: User, signed_in: SignedIn) -> None:
    client = signed_in(customer)
    assert client.get(ME).status_code == 200
    _cut_off(connection.connection.info.backend_pid)
    assert client.get(ME).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_a_visitor_on_a_connection_that_died_is_told_to_come_again_and_then_served(api: APIClient) -> None:
    assert api.get("/api/v1/products/").status_code == 200
    _cut_off(connection.connection.info.backend_pid)
    assert_problem(api.get("/api/v1/products/"), 503, "unavailable")
    connection.close_if_unusable_or_obsolete()  # as Django does at the end of a request
    assert api.get("/api/v1/products/").status_code == 200


def _cut_off(pid: int) -> None:
    """End the server's side of a connection, as a restart of Postgres does."""
    given = connection.get_connection_params()
    other = psycopg2.connect(host=given["host"], port=given.get("port"), user=given["user"], dbname=given["dbname"])
    try:
        with other.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    finally:
        other.close()
