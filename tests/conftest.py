"""What all tests share: a cast of users, real models trained on small data once, and API clients.

Everything runs on the real Postgres. Artifacts, pictures and copies go to a folder of the run's own.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.conf import settings
from django.core.cache import cache
from rest_framework.test import APIClient

from experiments import serving
from experiments.discovery import task_named
from experiments.mltask import Split, no_progress
from experiments.models import ModelVersion
from experiments.registry import version_create, version_promote
from tests import outside


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """No test writes into the project's data folder."""
    folder = tmp_path_factory.mktemp("data")
    patch = pytest.MonkeyPatch()
    patch.setattr(settings, "DATA_DIR", folder)
    patch.setattr(settings, "MEDIA_ROOT", folder / "media")
    patch.setattr(settings, "HOMES", folder / "homes.csv")
    patch.setitem(settings.STORAGES["models"]["OPTIONS"], "location", folder / "models")
    patch.setattr(settings, "WHITENOISE_AUTOREFRESH", True, raising=False)  # or each new client looks through all files
    patch.setitem(settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login", "10000/min")
    yield
    patch.undo()


@pytest.fixture(autouse=True)
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def no_calls_yet() -> None:
    cache.clear()  # the throttle's counts


@pytest.fixture(autouse=True)
def _fresh_models() -> Iterator[None]:
    """What a test put live is out of memory when the next one starts: its row was rolled back."""
    yield
    for loaded in serving._loaded.values():
        loaded.close()
    serving._loaded.clear()
    serving._kept.clear()
    serving._failed.clear()


@pytest.fixture(scope="session")
def fitted() -> Callable[..., Any]:
    """`fitted("sentiment")`: a real predictor of a task, fitted on its tiny examples once a session."""
    made: dict[tuple[str, str], Any] = {}

    def get(task: str, algorithm: str = "") -> Any:
        definition = task_named(task)
        name = algorithm or next(iter(definition.algorithms))
        if (task, name) not in made:
            made[task, name] = outside.made(definition, name).fit(definition.tiny(), progress=no_progress)
        return made[task, name]

    return get


@pytest.fixture
def candidate(db: None, fitted: Callable[..., Any]) -> Callable[..., ModelVersion]:
    """`candidate("sentiment")`: a stored version of the fitted predictor, not live."""

    def make(task: str, predictor: Any = None, **facts: Any) -> ModelVersion:
        definition = task_named(task)
        examples = definition.tiny()
        split = Split(fit=examples, validation=examples, test=examples, sources=facts.pop("sources", ()))
        algorithm = facts.pop("algorithm", next(iter(definition.algorithms)))
        return version_create(
            task=definition, algorithm=algorithm, predictor=predictor or fitted(task), params={}, metrics={},
            split=split, created_by="test",
        )  # fmt: skip

    return make


@pytest.fixture
def live(candidate: Callable[..., ModelVersion]) -> Callable[..., ModelVersion]:
    """`live("sentiment")`: the same, put live."""

    def make(task: str, **facts: Any) -> ModelVersion:
        row = candidate(task, **facts)
        version_promote(task=task, version=row.version, force=True, reason="for a test")
        serving.refresh()
        return row

    return make


def _client(user: Any = None) -> APIClient:
    client = APIClient()
    if user:
        client.force_authenticate(user)
    client.user = user
    return client


@pytest.fixture
def visitor(db: None) -> APIClient:
    """Nobody in particular."""
    return _client()


@pytest.fixture
def alice(django_user_model: Any, db: None) -> APIClient:
    """A customer."""
    return _client(django_user_model.objects.create_user("alice", "alice@example.com", "correct horse battery"))


@pytest.fixture
def mallory(django_user_model: Any, db: None) -> APIClient:
    """Another customer, who must see nothing of alice's."""
    return _client(django_user_model.objects.create_user("mallory", "mallory@example.com", "correct horse battery"))


@pytest.fixture
def staff(django_user_model: Any, db: None) -> APIClient:
    return _client(
        django_user_model.objects.create_user("staff", "staff@example.com", "correct horse battery", is_staff=True)
    )
