"""`/demo/price/` in a real browser: a price as it is typed, the server's answer beside it, and the server gone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from rest_framework.test import APIClient
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from experiments.models import ModelVersion
from tests.browser import NEEDS_CHROMIUM, chromium
from tests.shop import API
from tests.waiting import until

pytestmark = [
    pytest.mark.slow,
    pytest.mark.django_db(transaction=True),
    NEEDS_CHROMIUM,
]
WITHIN_S = 60.0  # others may be at work on this machine
SAME = 1e-4  # largest relative difference


class Page:
    """The page as a person has it before them."""

    def __init__(self, driver: Any, url: str) -> None:
        self.driver = driver
        driver.get(url)

    def find(self, name: str) -> Any:
        return self.driver.find_element(By.ID, name)

    def said(self, name: str) -> str:
        return str(self.find(name).text)

    def type(self, name: str, text: str) -> None:
        self.find(name).clear()
        self.find(name).send_keys(text)

    def number(self, name: str) -> float:
        return float(self.find(name).get_attribute("value") or "nan")

    def ready(self) -> "Page":
        until(lambda: self.number("price") > 0, WITHIN_S)
        return self

    def log_in(self) -> None:
        self.type("username", "alice")
        self.type("password", "correct horse battery")
        self.find("login").submit()

    def errors(self) -> list[Any]:
        """Whatever stands in the console since it was last looked at."""
        return [one for one in self.driver.get_log("browser") if one["level"] in {"SEVERE", "WARNING"}]


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def page(driver: Any, live_server: Any) -> Iterator[Callable[[], Page]]:
    yield lambda: Page(driver, f"{live_server.url}/demo/price/")
    driver.execute_cdp_cmd("Network.disable", {})
    driver.get("about:blank")
    driver.get_log("browser")


def offline(driver: Any) -> None:
    driver.execute_cdp_cmd("Network.enable", {})
    lost = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}
    driver.execute_cdp_cmd("Network.emulateNetworkConditions", lost)


HOME = {"bedrooms": 4, "bathrooms": 2.5, "sqft": 2_345, "location": "98103", "coverage": 0.8}


def fill(page: Page, home: dict[str, Any]) -> None:
    for name in ("bedrooms", "bathrooms", "sqft", "location"):
        page.type(name, str(home[name]))
    Select(page.find("coverage")).select_by_value(str(home["coverage"]))


def test_the_price_that_is_read_is_the_one_that_the_server_answers(
    alice: APIClient, priced: ModelVersion, page: Callable[[], Page]
) -> None:
    shown = page().ready()
    fill(shown, HOME)
    answer = alice.post(f"{API}/predict/price/", HOME).json()
    assert shown.number("price") == pytest.approx(answer["predicted_price"], rel=SAME)
    low, high = (round(end) for end in answer["interval"])
    assert shown.said("price") == f"USD {answer['predicted_price']:,.0f}"
    assert shown.said("interval") == f"USD {low:,} to {high:,} with a chance of 80 %"
    assert f"Version {priced.version}, network." in shown.said("facts")
    assert not shown.find("beyond").is_displayed()
    assert shown.errors() == []


def test_the_button_asks_the_server_and_says_that_both_agree(
    alice: APIClient, priced: ModelVersion, page: Callable[[], Page]
) -> None:
    shown = page().ready()
    fill(shown, HOME)
    shown.find("ask").click()
    assert "Log in first" in shown.said("server")
    shown.log_in()
    until(lambda: shown.said("agree"), WITHIN_S)
    answer = alice.post(f"{API}/predict/price/", HOME).json()
    assert f"USD {answer['predicted_price']:,.0f}" in shown.said("server")
    assert "Both agree" in shown.said("agree")
    print(f"\nlargest relative difference in the page: {shown.number('agree'):.1e}")  # noqa: T201
    assert shown.number("agree") < SAME
    shown.type("sqft", "1500")
    assert not shown.find("server").is_displayed(), "it was the answer to another home"
    shown.find("ask").click()
    until(lambda: "Both agree" in shown.said("agree"), WITHIN_S)
    assert shown.errors() == []


def test_with_the_server_gone_the_price_goes_on_and_the_button_says_so(
    alice: APIClient, priced: ModelVersion, page: Callable[[], Page], driver: Any
) -> None:
    shown = page().ready()
    fill(shown, HOME)
    shown.log_in()
    until(lambda: shown.said("agree"), WITHIN_S)
    offline(driver)
    seen = [shown.number("price")]
    for sqft in ("1500", "3000", "60000"):
        shown.type("sqft", sqft)
        seen.append(shown.number("price"))
    assert len(set(seen)) == 4
    assert shown.errors() == []
    shown.find("ask").click()
    until(lambda: "The server cannot be reached." in shown.said("server"), WITHIN_S)


def test_a_wrong_password_is_refused_in_the_words_of_the_server(
    alice: APIClient, priced: ModelVersion, page: Callable[[], Page]
) -> None:
    shown = page().ready()
    shown.type("username", "alice")
    shown.type("password", "wrong")
    shown.find("login").submit()
    until(lambda: shown.said("login-said"), WITHIN_S)
    assert shown.find("login").is_displayed()


@pytest.mark.parametrize(
    ("field", "text", "wrong"),
    [
        ("bedrooms", "101", "Expected a whole number from 0 to 100."),
        ("bedrooms", "2.5", "Expected a whole number from 0 to 100."),
        ("bathrooms", "0", "Expected a number from 0.25 to 100."),
        ("sqft", "-5", "Expected a number from 20 to 100,000."),
        ("sqft", "1e12", "Expected a number from 20 to 100,000."),
        ("sqft", "", "Expected a number from 20 to 100,000."),
        ("location", "99999", "This is none of the 4 known locations."),
        ("location", " ", "Expected a location of 1 to 100 characters."),
    ],
)
def test_what_is_wrong_is_said_at_its_field_with_the_bound(
    priced: ModelVersion, page: Callable[[], Page], field: str, text: str, wrong: str
) -> None:
    shown = page().ready()
    shown.type(field, text)
    assert shown.said(f"{field}-wrong") == wrong
    assert shown.find(field).get_attribute("aria-invalid") == "true"
    assert shown.said("price") == "–"  # noqa: RUF001
    assert not shown.find("ask").is_enabled()


def test_any_location_is_priced_where_that_is_ticked_and_what_lies_beyond_is_said(
    priced: ModelVersion, page: Callable[[], Page]
) -> None:
    shown = page().ready()
    shown.type("location", "elsewhere")
    shown.find("allow_unknown").click()
    assert shown.said("price").startswith("USD ")
    shown.type("bedrooms", "90")
    assert "Outside of what the model learned from (bedrooms 1 to 8)" in shown.said("beyond")


def test_without_a_model_that_a_browser_runs_the_page_says_why(
    live: Callable[..., ModelVersion], fitted: Callable[..., Any], page: Callable[[], Page]
) -> None:
    live("price", predictor=fitted("price", "boosting"), algorithm="boosting")
    shown = page()
    until(lambda: "There is no model for this page now." in shown.said("facts"), WITHIN_S)
    assert "was made by boosting, which does not run in a browser" in shown.said("facts")
