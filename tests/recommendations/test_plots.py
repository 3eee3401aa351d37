"""An offline evaluation for people: the table's text, and a picture that can be drawn of any report."""

from pathlib import Path
from typing import Any

import pytest
from matplotlib.figure import Figure
from PIL import Image

from recommendations.plots import plot, table


def figure(value: float | None, low: float | None = None, high: float | None = None) -> dict[str, float | None]:
    return {"value": value, "low": low, "high": high}


def ranked(ndcg: float, low: float, high: float) -> dict[str, Any]:
    return {f"{name}@{k}": figure(ndcg, low, high) for name in ("ndcg", "recall", "map", "hit") for k in (5, 10)}


def recommender(name: str, *, live: bool = False, **facts: Any) -> dict[str, Any]:
    found = {**ranked(0.125, 0.0, 0.25), "coverage@5": figure(0.5), "coverage@10": figure(0.75)}
    return {"name": name, "params": {}, "live": live, "figures": found | facts.pop("figures", {}), **facts}


def report(*recommenders: dict[str, Any], **facts: Any) -> dict[str, Any]:
    return {
        "task": "recommend", "protocol": "temporal-user", "version": 3, "users": 1_200, "held_out": 2_000,
        "learned_from": 9_000, "products": 500, "k": [5, 10], "interval": "95 %",
        "reference": {"name": "ease", "live": True, "measured": True}, "recommenders": list(recommenders), **facts,
    }  # fmt: skip


def block(text: str, heading: str) -> list[str]:
    """The lines of one part of the table, with one space between the columns."""
    parts = [[" ".join(line.split()) for line in part.splitlines()] for part in text.split("\n\n")]
    [found] = [part for part in parts if part[0].startswith(heading)]
    return found


BETTER = {name: figure(0.01, 0.002, 0.02) for name in ranked(0, 0, 0)}
BETTER |= {"recall@5": figure(-0.01, -0.03, 0.01), "map@5": figure(-0.02, -0.03, -0.01)}
BOTH = report(recommender("ease", live=True), recommender("a_longer_name_than_any", difference=BETTER))


def test_the_first_lines_say_what_was_done() -> None:
    assert table(BOTH).splitlines()[:4] == [
        "recommend under temporal-user: 1,200 users, 500 products.",
        "2,000 ratings were held out, 9,000 rows learned from.",
        "In brackets the interval (95 %).",
        "Compared with the live version, fitted anew under this protocol: ease.",
    ]


def test_each_figure_stands_with_its_interval() -> None:
    assert block(table(BOTH), "at 5 NDCG")[:2] == [
        "at 5 NDCG recall MAP hit rate",
        "ease (live)" + 4 * " 0.125 (0.000-0.250)",
    ]


def test_columns_stand_apart_and_under_their_heading_however_wide_they_are() -> None:
    wide = ranked(0.125, 0.1, 0.2) | {"recall_to_random@5": figure(123.456, 100.5, 1000.25)}
    text = table(report(recommender("ease v12345", live=True), recommender("x" * 40, figures=wide, difference=BETTER)))
    for part in text.split("\n\n")[1:]:
        head, *rows = [line for line in part.splitlines() if not line.startswith("*")]
        starts = [head.index(title) for title in ("recall", "MAP", "hit rate") if title in head]
        for row in rows:
            assert all(row[start - 2 : start] == "  " and row[start] != " " for start in starts)
    assert "123.456 (100.500-1000.250)" in text


def test_a_difference_whose_interval_does_not_hold_0_has_a_star() -> None:
    heading, row, *rest = block(table(BOTH), "at 5, less ease")
    assert heading == "at 5, less ease NDCG recall MAP hit rate"
    assert row.startswith(
        "a_longer_name_than_any +0.010*(+0.002 +0.020) -0.010 (-0.030 +0.010) -0.020*(-0.030 -0.010) +0.010*"
    )
    assert rest == []
    assert table(BOTH).endswith("* the interval does not hold 0")


def test_figures_that_nobody_has_are_no_column_and_what_is_not_defined_is_a_dash() -> None:
    silent = recommender("silent", figures={"novelty@5": figure(None), "rmse": figure(0.9, 0.8, 1.0)})
    text = table(report(recommender("ease"), silent))
    assert block(text, "at 5 coverage") == ["at 5 coverage novelty", "ease 0.500", "silent 0.500 -"]
    assert block(text, "RMSE") == ["RMSE", "silent 0.900 (0.800-1.000)"]
    assert "less ease" not in text and "\n\n\n" not in text


def test_who_failed_stands_at_the_end_with_the_reason() -> None:
    failed = {"name": "als", "params": {}, "live": False, "error": "Too few."}
    assert table(report(recommender("ease"), failed)).endswith("\n\nals was not measured: Too few.")


@pytest.mark.parametrize(
    ("reference", "says"),
    [
        ({"name": "ease", "live": False, "measured": True}, "No version is live: compared with the default algorithm"),
        ({"name": "ease", "live": True, "measured": False}, "What the others would be compared with could not be"),
        (None, "What the others would be compared with could not be measured"),
    ],
)
def test_it_is_said_what_the_others_are_compared_with(reference: dict[str, Any] | None, says: str) -> None:
    assert table(report(recommender("ease"), reference=reference)).splitlines()[3].startswith(says)


@pytest.fixture
def drawn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Draws a report; gives the picture, and the figure that it was made of."""
    kept, save = [], Figure.savefig
    monkeypatch.setattr(Figure, "savefig", lambda self, *args, **more: (kept.append(self), save(self, *args, **more)))

    def draw(what: dict[str, Any]) -> tuple[Image.Image, Figure]:
        plot(what, tmp_path / "x.png")
        with Image.open(tmp_path / "x.png") as picture:
            picture.load()
            return picture, kept[-1]

    return draw


@pytest.mark.parametrize("count", [1, 2, 12])
def test_a_picture_grows_with_the_recommenders_and_shows_the_first_on_top(count: int, drawn: Any) -> None:
    failed = {"name": "als", "params": {}, "live": False, "error": "Too few."}
    rows = [recommender(f"number {place}", live=place == 0) for place in range(count)]
    picture, figure = drawn(report(*rows, failed))
    assert picture.format == "PNG"
    assert picture.size == (1440, int(120 * (1.6 + 0.42 * count)))
    ndcg, _, coverage = figure.axes
    assert [axes.get_title() for axes in figure.axes] == ["NDCG@5", "Recall@10", "Coverage@5"]
    labels = [label.get_text() for label in ndcg.get_yticklabels()]
    assert labels == [f"number {place}" for place in reversed(range(1, count))] + ["number 0 (live)"]
    assert {text.get_text() for text in coverage.texts} == {"0.500"}


def test_lines_go_from_one_end_of_the_interval_to_the_other_also_from_0(drawn: Any) -> None:
    _, figure = drawn(report(recommender("ease")))
    [lines] = figure.axes[0].collections
    assert lines.get_segments()[0][:, 0].tolist() == [0.0, 0.25]
    assert not figure.axes[2].collections


def test_zeros_and_what_is_not_defined_can_be_drawn(drawn: Any) -> None:
    empty = recommender("silent", figures=ranked(0, 0, 0) | {"coverage@5": figure(None)})
    _, drawing = drawn(report(empty))
    assert [text.get_text() for axes in drawing.axes for text in axes.texts] == ["0.000", "0.000", "-"]
