import pytest
from django.test import Client

from mlbackend.accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def admin(boss: User) -> Client:
    client = Client()
    client.force_login(boss)
    return client


def test_staff_find_change_and_add_users(admin: Client, customer: User) -> None:
    for page in ("?q=alice", "add/", f"{customer.pk}/change/", f"{customer.pk}/password/", f"{customer.pk}/delete/"):
        assert admin.get(f"/admin/accounts/user/{page}").status_code == 200, page
    assert admin.get("/admin/auth/group/add/").status_code == 200


def test_a_taken_email_is_an_error_of_the_form(admin: Client, customer: User, outsider: User) -> None:
    page = admin.get(f"/admin/accounts/user/{outsider.pk}/change/")
    form = {name: value for name, value in page.context["adminform"].form.initial.items() if value is not None}
    joined = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    answer = admin.post(f"/admin/accounts/user/{outsider.pk}/change/", form | joined | {"email": "ALICE@example.com"})
    assert answer.status_code == 200
    assert "A user with that e-mail address exists already." in answer.content.decode()
    outsider.refresh_from_db()
    assert outsider.email == "mallory@example.com"


def test_the_admin_shows_nobodys_refresh_tokens(admin: Client) -> None:
    assert admin.get("/admin/token_blacklist/outstandingtoken/").status_code == 404
    assert "token_blacklist" not in admin.get("/admin/").content.decode()


def test_a_customer_is_sent_to_the_login(customer: User) -> None:
    client = Client()
    client.force_login(customer)
    assert client.get("/admin/accounts/user/").status_code == 302


def test_a_form_without_its_csrf_token_is_refused_as_a_page(boss: User) -> None:
    answer = Client(enforce_csrf_checks=True).post("/admin/login/", {"username": "staff", "password": "x"})
    assert answer.status_code == 403
    assert answer["Content-Type"].startswith("text/html")
