import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).resolve().parents[2]
PRODUCTION = {
    "DATABASE_URL": "postgres://shop.example.com/shop",
    "SECRET_KEY": "fsmnD2XsNB7yOiEe0Qz3bPwT9vLkHcRa5uG8JtVx4WqZ1oMYdC6pKIlU",
    "ALLOWED_HOSTS": "shop.example.com",
}


def check(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """`manage.py check` as a new process, which sees these settings and no others."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV")}
    command = [sys.executable, "manage.py", "check", *arguments]
    return subprocess.run(command, cwd=ROOT, env=kept | environment, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize(
    ("missing", "error", "hint"),
    [
        ("SECRET_KEY", "mlbackend.E001", "secrets.token_urlsafe"),
        ("ALLOWED_HOSTS", "mlbackend.E002", "ALLOWED_HOSTS=shop.example.com"),
    ],
)
def test_a_missing_production_setting_is_named_with_what_to_set(missing: str, error: str, hint: str) -> None:
    done = check({name: value for name, value in PRODUCTION.items() if name != missing})
    assert done.returncode == 1
    assert error in done.stderr
    assert f"{missing} is not set" in done.stderr
    assert hint in done.stderr


@pytest.mark.parametrize("rate", ["abc", "0/min", "-5/min", "10/fortnight", "10"])
def test_a_throttle_rate_that_cannot_be_read_is_named(rate: str) -> None:
    done = check({"THROTTLE_USER": rate})
    assert done.returncode == 1
    assert "mlbackend.E003" in done.stderr
    assert f"THROTTLE_USER is '{rate}'" in done.stderr


def test_a_secret_key_may_begin_with_a_dollar_sign() -> None:
    key = "$" + PRODUCTION["SECRET_KEY"]
    read = "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'mlbackend.settings'\n"
    read += "from django.conf import settings; print(settings.SECRET_KEY)"
    environment = {"PATH": os.environ["PATH"], **PRODUCTION, "SECRET_KEY": key}
    done = subprocess.run(
        [sys.executable, "-c", read], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=True
    )
    assert done.stdout.strip() == key


WEBHOOK = {"WEBHOOK_URL": "https://alarms.example.com/shop?token=s3cret", "WEBHOOK_SECRET": "whsec_" + "A" * 32}


@pytest.mark.parametrize("url", ["alarms.example.com", "ftp://alarms.example.com/", "https://", "http://a:b/", "x"])
def test_a_receiver_that_cannot_be_told_anything_is_named(url: str) -> None:
    done = check({**WEBHOOK, "WEBHOOK_URL": url})
    assert done.returncode == 1
    assert "mlbackend.E004" in done.stderr
    assert "WEBHOOK_URL is no http or https address." in done.stderr
    assert "mlbackend.E005" not in done.stderr


@pytest.mark.parametrize("secret", ["", "A" * 40, "whsec_" + "A" * 28, "whsec_" + "?" * 32])
def test_a_receiver_without_a_secret_to_sign_with_is_named_with_what_to_set(secret: str) -> None:
    done = check({**WEBHOOK, "WEBHOOK_SECRET": secret})
    assert done.returncode == 1
    assert "mlbackend.E005" in done.stderr
    assert "WEBHOOK_SECRET is not whsec_ and 24 to 64 bytes in base64." in done.stderr
    assert "token_bytes(32)" in done.stderr
    assert "s3cret" not in done.stderr


def test_a_receiver_with_a_secret_passes() -> None:
    done = check(WEBHOOK)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("token", ["short", "x" * 31, "thirty-two characters, with blanks", "é" * 40])
def test_a_token_for_metrics_that_can_be_guessed_or_not_be_sent_is_named(token: str) -> None:
    done = check({"METRICS_TOKEN": token})
    assert done.returncode == 1
    assert "mlbackend.E006" in done.stderr
    assert token not in done.stderr


@pytest.mark.parametrize("folder", ["", "/there/is/none", __file__])
def test_a_folder_that_no_process_can_count_in_is_named(folder: str) -> None:
    done = check({"PROMETHEUS_MULTIPROC_DIR": folder})
    assert done.returncode == 1
    assert "mlbackend.E007" in done.stderr
    assert "PROMETHEUS_MULTIPROC_DIR is no folder to write to" in done.stderr


@pytest.mark.parametrize("endpoint", ["collector:4318", "grpc://collector:4317", "http://", "http:// collector"])
def test_a_collector_of_traces_without_an_http_address_is_named(endpoint: str) -> None:
    done = check({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint})
    assert done.returncode == 1
    assert "mlbackend.E009" in done.stderr


def test_production_settings_pass_the_deployment_check() -> None:
    done = check(PRODUCTION, "--deploy", "--fail-level", "WARNING")
    assert done.returncode == 0, done.stderr


def test_a_local_project_needs_no_setting() -> None:
    done = check({})
    assert done.returncode == 0, done.stderr
