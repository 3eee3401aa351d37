"""The pages of A/B tests in a real browser, on a phone and on a wide screen, in the light and in the dark: nobody is
shut out, and nothing is wider than the screen.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.test import Client
from selenium.webdriver.common.by import By

from experiments.models import ABTest
from tests.browser import NEEDS_CHROMIUM, barriers, chromium, looks
from tests.experiments.admin_forms import TESTS, at
from tests.experiments.conftest import Version
from tests.experiments.experiment_rows import started
from tests.experiments.shown_tests import lively, told
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), NEEDS_CHROMIUM]
WITHIN_S = 60.0  # others may be at work on this machine
SCREENS = [(width, scheme) for width in (390, 1_440) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def look(driver: Any, office: Client, live_server: Any) -> Callable[..., None]:
    """`look("/admin/…", 390, "dark")`: as the one who may do everything."""

    def at_page(path: str, width: int = 1_440, scheme: str = "light") -> None:
        looks(driver, width, scheme)
        driver.get(f"{live_server.url}/admin/login/")
        driver.add_cookie({"name": "sessionid", "value": office.cookies["sessionid"].value})
        driver.get(live_server.url + path)
        until(lambda: driver.find_element(By.TAG_NAME, "h1").is_displayed(), WITHIN_S)

    return at_page


@pytest.fixture
def tests(office: Client, django_user_model: Any) -> dict[str, ABTest]:
    """One with users, a draft, and one that stopped."""
    found = {
        "lively": lively("control", "new", "one with a name that is much longer than a phone is wide"),
        "draft": started(name="a draft", state="draft", started_at=None, task="sentiment"),
        "stopped": started(name="it stopped", state="stopped", task="sentiment"),
    }
    told(found["lively"], django_user_model.objects.get(username="boss"))
    return found


PAGES = [("lively", "results"), ("lively", "change"), ("draft", "change"), ("draft", "results"), ("stopped", "change"),
         ("lively", "pause"), ("stopped", "promote-winner")]  # fmt: skip


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nobody_is_shut_out_and_nothing_is_wider_than_the_screen(
    driver: Any, look: Callable[..., None], tests: dict[str, ABTest], version: Version, width: int, scheme: str
) -> None:
    variant = tests["stopped"].variants.last()
    variant.version = version()
    variant.save()
    paths = [TESTS, f"{TESTS}add/", *(at(tests[name], page) for name, page in PAGES)]
    for path in paths:
        look(path, width, scheme)
        driver.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert ("dark" in driver.find_element(By.TAG_NAME, "html").get_attribute("class")) == (scheme == "dark")
        assert barriers(driver) == [], path
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, path


def test_the_marks_of_a_chart_are_where_the_figures_say(
    driver: Any, look: Callable[..., None], tests: dict[str, ABTest]
) -> None:
    look(at(tests["lively"], "results"), 390)
    chart = driver.find_element(By.CSS_SELECTOR, "svg[role=img]")
    box, zero = chart.rect, chart.find_element(By.CSS_SELECTOR, ".zero").rect
    dots = [one.rect for one in chart.find_elements(By.TAG_NAME, "circle")]
    assert len(dots) == 2
    assert zero["x"] < dots[0]["x"] < dots[1]["x"] < box["x"] + box["width"] <= 390
    middle = [dot["x"] + dot["width"] / 2 for dot in dots]
    assert middle[1] - zero["x"] == pytest.approx(2 * (middle[0] - zero["x"]), abs=3), "+120 % and +60 %"


def test_a_test_is_paused_with_the_mouse(driver: Any, look: Callable[..., None], tests: dict[str, ABTest]) -> None:
    test = tests["lively"]
    look(at(test))
    driver.find_element(By.CSS_SELECTOR, f'a[href="{at(test, "pause")}"]').click()
    until(lambda: driver.find_elements(By.ID, "step-title"), WITHIN_S)
    driver.find_element(By.NAME, "reason").send_keys("too slow")
    driver.find_element(By.XPATH, "//button[contains(., 'Pause')]").click()
    until(lambda: "which is better is paused." in driver.page_source, WITHIN_S)
    done = test.actions.first()
    assert (done.action, done.reason, done.by.username) == ("pause", "too slow", "boss")


def test_a_variant_is_added_and_a_test_saved_with_the_mouse(
    driver: Any, look: Callable[..., None], tests: dict[str, ABTest]
) -> None:
    test = tests["draft"]
    look(at(test))
    add = driver.find_element(By.CSS_SELECTOR, "a.add-row")
    driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", add)
    add.click()
    driver.find_element(By.NAME, "variants-2-name").send_keys("newest")
    driver.find_element(By.NAME, "_save").click()
    until(lambda: "was changed successfully" in driver.page_source, WITHIN_S)
    assert list(test.variants.values_list("name", "weight")) == [("control", 1.0), ("new", 1.0), ("newest", 1.0)]
