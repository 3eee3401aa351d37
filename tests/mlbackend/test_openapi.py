"""The committed OpenAPI document is the one that the code makes, and the docs page shows it."""

from io import StringIO
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from rest_framework.test import APIClient

from tests.concurrency import at_once


def test_the_committed_document_is_up_to_date() -> None:
    made = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", stdout=made)
    committed = (settings.BASE_DIR / "openapi.yaml").read_text()
    assert made.getvalue().strip() == committed.strip(), "run `make openapi` and commit openapi.yaml"


def test_every_operation_says_how_it_fails(visitor: APIClient) -> None:
    document: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len(operations) > 30
    for operation in operations:
        answer = operation["responses"]["default"]["content"]["application/problem+json"]
        assert answer["schema"]["$ref"] == "#/components/schemas/Problem"


def test_the_document_and_its_page_are_public(visitor: APIClient) -> None:
    document = visitor.get("/api/v1/schema/")
    assert document.status_code == 200
    assert b"/api/v1/predict/sentiment/" in document.content
    page = visitor.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"swagger-ui" in page.content


@pytest.mark.django_db
def test_readers_at_once_all_get_the_same_document() -> None:
    answers = at_once(*[lambda: APIClient().get("/api/v1/schema/") for _ in range(8)])
    assert {answer.status_code for answer in answers} == {200}
    assert len({answer.content for answer in answers}) == 1


def test_a_review_holds_its_analysis_without_where_it_came_from() -> None:
    document = yaml.safe_load((settings.BASE_DIR / "openapi.yaml").read_text())
    schemas = document["components"]["schemas"]
    assert set(schemas["SentimentAnswer"]["properties"]) == {
        "sentiment", "confidence", "scores", "model", "version", "prediction_id",
    }  # fmt: skip
    assert set(schemas["SentimentOutput"]["properties"]) == {"sentiment", "confidence", "scores"}
