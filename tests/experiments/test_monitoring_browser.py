"""The monitoring page in a real browser, on a phone and on a wide screen, in the light and in the dark: nobody is shut
out, nothing is wider than the screen, and the lines of a chart lie where they should.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from selenium.webdriver.common.by import By

from experiments.models import Alarm, Promotion, QualityMeasure
from tests.browser import NEEDS_CHROMIUM, barriers, chromium, looks
from tests.experiments.conftest import Tested, Version
from tests.experiments.rolled import log, up_to
from tests.experiments.test_monitoring_page_beside import reported
from tests.waiting import until

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True), NEEDS_CHROMIUM]
PAGE = "/admin/monitoring/"
WITHIN_S = 60.0  # others may be at work on this machine
SCREENS = [(width, scheme) for width in (390, 1_440) for scheme in ("light", "dark")]
LONG = "a-name-without-any-place-to-break-it-that-is-longer-than-a-phone"


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as made:
        yield made


@pytest.fixture
def look(driver: Any, office: Client, live_server: Any) -> Callable[..., None]:
    """`look("?window=1h", 390, "dark")`: as the one who may do everything."""

    def at_page(query: str = "", width: int = 1_440, scheme: str = "light") -> None:
        looks(driver, width, scheme)
        driver.get(f"{live_server.url}/admin/login/")
        driver.add_cookie({"name": "sessionid", "value": office.cookies["sessionid"].value})
        driver.get(live_server.url + PAGE + query)
        until(lambda: driver.find_elements(By.CSS_SELECTOR, ".monitoring h2"), WITHIN_S)

    return at_page


@pytest.fixture
def busy(promoted: Version, tested: Tested) -> datetime:
    """A day with two versions, one after the other, and something of everything else that the page shows."""
    now = timezone.now()
    promoted()
    promoted()
    Promotion.objects.filter(to_version__version=1).update(at=now - timedelta(days=9))
    Promotion.objects.filter(to_version__version=2).update(at=now - timedelta(hours=6))
    for hours in range(1, 24):
        facts = {"algorithm": "scripted", "version": 2 if hours < 6 else 1, "latency_ms": 40.0 if hours < 6 else 4.0}
        log(*[now - timedelta(hours=hours)] * 3, confidence=hours / 24, **facts)
        log(now - timedelta(hours=hours), status="error", **facts)
        log(now - timedelta(hours=hours), version=None, algorithm=LONG, status="fallback")
    up_to(now)
    reported("input.text.language", LONG, version=2)
    tested({"name": "a"}, {"name": "b"}, started_at=now)
    facts = {"version": 2, "metric": "error_rate", "value": 0.25, "bound": 0.02, "n": 20, "since": now, "seen_at": now}
    Alarm.objects.create(name=LONG, task="sentiment", state="firing", fired_at=now, **facts)
    for estimated in (True, False):
        QualityMeasure.objects.create(task="sentiment", version=2, name="accuracy", value=0.9, n=100,
                                      estimated=estimated, window_start=now, window_end=now)  # fmt: skip
    return now


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_nobody_is_shut_out_and_nothing_is_wider_than_the_screen(
    driver: Any, look: Callable[..., None], busy: datetime, width: int, scheme: str
) -> None:
    for query in ("", "?window=1h", "?window=7d", "?window=30d", "?window=none"):
        look(query, width, scheme)
        driver.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert ("dark" in driver.find_element(By.TAG_NAME, "html").get_attribute("class")) == (scheme == "dark")
        assert barriers(driver) == [], query
        assert driver.execute_script("return document.documentElement.scrollWidth") <= width, query


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_a_shop_without_any_figure_is_read_by_everybody_too(
    driver: Any, look: Callable[..., None], width: int, scheme: str
) -> None:
    look("", width, scheme)
    assert "There are no figures yet" in driver.find_element(By.CSS_SELECTOR, ".monitoring").text
    assert barriers(driver) == []
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("width", [390, 1_440])
def test_the_lines_of_a_chart_begin_at_the_promotion_and_lie_in_the_chart(
    driver: Any, look: Callable[..., None], busy: datetime, width: int
) -> None:
    look("", width)
    chart = driver.find_element(By.CSS_SELECTOR, "svg[role=img]")
    assert chart.accessible_name.startswith("Latency of sentiment 2 (scripted) Median, 95th")
    box, promotion = chart.rect, chart.find_element(By.CSS_SELECTOR, ".promotion").rect
    line = chart.find_element(By.CSS_SELECTOR, ".p50").rect
    hour = 0.74 * box["width"] / 24
    assert abs(line["x"] - promotion["x"]) <= 2 * hour
    assert line["x"] + line["width"] <= box["x"] + box["width"] <= width
    assert box["y"] < line["y"] < box["y"] + box["height"]


def test_another_window_is_chosen_with_the_mouse_and_the_page_is_found_from_the_sidebar(
    driver: Any, look: Callable[..., None], busy: datetime
) -> None:
    look("")
    driver.find_element(By.LINK_TEXT, "7d").click()
    until(lambda: "The last 7d" in driver.page_source, WITHIN_S)
    driver.find_element(By.PARTIAL_LINK_TEXT, "Monitoring").click()
    until(lambda: "The last 24h" in driver.page_source, WITHIN_S)


CLICK = """
document.addEventListener('click', event => event.preventDefault(), {once: true});  // the answer takes its time
const link = [...document.querySelectorAll('.windows a')].find(one => one.textContent === '7d');
link.dispatchEvent(new MouseEvent('click', {bubbles: true, cancelable: true, ctrlKey: arguments[0]}));
"""


def test_while_another_window_is_loading_the_page_says_so(
    driver: Any, look: Callable[..., None], busy: datetime
) -> None:
    def state() -> tuple[str, str]:
        shown = driver.find_element(By.CSS_SELECTOR, ".windows [role=status]").text
        return shown, driver.find_element(By.CSS_SELECTOR, ".monitoring section").value_of_css_property("opacity")

    look("", 390)
    assert state() == ("", "1")
    driver.execute_script(CLICK, True)  # a tab of its own: here nothing is loading
    assert state() == ("", "1")
    driver.execute_script(CLICK, False)
    until(lambda: state() == ("Loading the last 7d …", "0.5"))
    assert driver.execute_script("return document.documentElement.scrollWidth") <= 390
    driver.execute_script("window.dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    until(lambda: state() == ("", "1"))
