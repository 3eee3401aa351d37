"""The cast as rows, and clients that hold a real access token: here it is the tokens that are tested."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import AccessToken

from mlbackend.accounts.models import User

SignedIn = Callable[[User], APIClient]


@pytest.fixture
def api() -> APIClient:
    """An anonymous caller; an unhandled exception is answered, as in production."""
    return APIClient(raise_request_exception=False)


@pytest.fixture
def signed_in() -> SignedIn:
    def client(user: User) -> APIClient:
        return APIClient(raise_request_exception=False, HTTP_AUTHORIZATION=f"Bearer {AccessToken.for_user(user)}")

    return client


@pytest.fixture
def customer(alice: APIClient) -> User:
    return alice.user


@pytest.fixture
def outsider(mallory: APIClient) -> User:
    return mallory.user


@pytest.fixture
def boss(staff: APIClient) -> User:
    """A member of staff who may do all in the admin."""
    staff.user.is_superuser = True
    staff.user.save()
    return staff.user
