"""Summaries by a transformer of one's own: a tiny one with random weights stands in for BART."""

import json
from pathlib import Path
from typing import Any

import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.mltask import no_progress
from nlp.ml.summary import EXAMPLE, SummaryInput, tiny
from tests import outside

READS = 32  # tokens, two of them around a part


def fit(**params: Any) -> Any:
    return task_named("summary").algorithms["hub"](**params).fit(tiny(), progress=no_progress)


@pytest.fixture(scope="module")
def model() -> Any:
    return fit(model=str(outside.writer(READS)), beams=2)


def tokens(model: Any, text: str) -> int:
    return len(model.tokenizer.encode(text))


@pytest.mark.parametrize(("most", "least"), [(1, 0), (5, 5), (12, 3), (25, 20)])
def test_a_summary_is_new_text_and_keeps_both_bounds(most: int, least: int) -> None:
    [output] = fit(model=str(outside.writer()), beams=2).predict([SummaryInput(EXAMPLE, most, least)])
    assert output.method == "abstractive"
    assert output.original_length == len(EXAMPLE.split())
    assert least <= output.summary_length == len(output.summary.split()) <= most


def test_a_long_text_is_taken_in_parts_that_end_with_sentences_and_lose_no_word(model: Any) -> None:
    parts = model.parts(EXAMPLE)
    assert len(parts) > 2
    assert " ".join(parts).split() == EXAMPLE.split()
    assert max(tokens(model, part) for part in parts) <= READS
    assert all(part.endswith(".") for part in parts)


def test_a_sentence_longer_than_the_network_reads_is_halved(model: Any) -> None:
    text = "fabric " * 100
    parts = model.parts(text)
    assert " ".join(parts).split() == text.split()
    assert max(tokens(model, part) for part in parts) <= READS


def test_each_part_of_a_long_text_is_summarised_and_their_summaries_are_in_turn(
    model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def first_words(part: str, least: int, most: int, parts: int) -> str:
        asked.append(part)
        return " ".join(part.split()[:12])

    monkeypatch.setattr(model, "_written", first_words)
    parts = model.parts(EXAMPLE)
    joined = " ".join(" ".join(part.split()[:12]) for part in parts)
    again = model.parts(joined)
    [output] = model.predict([SummaryInput(EXAMPLE, 30, 5)])
    assert asked[: len(parts) + len(again)] == [*parts, *again]
    assert output.summary_length <= 30


def test_what_fits_together_is_not_summarised_again(model: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model, "_written", lambda part, least, most, parts: part.split()[0])
    [output] = model.predict([SummaryInput(EXAMPLE, 30, 5)])
    assert output.summary == " ".join(part.split()[0] for part in model.parts(EXAMPLE))


def test_the_same_text_has_the_same_summary_each_time(model: Any) -> None:
    given = SummaryInput(EXAMPLE, 20, 5)
    [once], [again] = model.predict([given]), model.predict([given])
    assert once == again
    assert once.summary != model.predict([SummaryInput(EXAMPLE[::-1], 20, 5)])[0].summary


def test_a_text_shorter_than_the_least_length_is_returned_as_it_is(model: Any) -> None:
    [output] = model.predict([SummaryInput(" It fits. ", 130, 30)])
    assert (output.summary, output.method) == (" It fits. ", "extractive")


def test_the_artifact_has_all_that_is_needed_and_points_at_no_other_folder(model: Any, tmp_path: Path) -> None:
    folder = tmp_path / "artifact"
    folder.mkdir()
    model.save(folder)
    assert {"model.safetensors", "config.json", "tokenizer.json"} <= {path.name for path in folder.iterdir()}
    params = folder / "params.json"
    params.write_text(json.dumps({**json.loads(params.read_text()), "model": "/gone"}))
    given = [SummaryInput(EXAMPLE, 20, 5)]
    assert task_named("summary").algorithms["hub"].load(folder).predict(given) == model.predict(given)


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({}, "--model facebook/bart-large-cnn"),
        ({"model": "/no/such/folder"}, "There is no folder /no/such/folder"),
        ({"model": "./nowhere"}, r"There is no folder \./nowhere"),
        ({"model": "x", "beams": 0}, "beams must be at least 1, got 0"),
    ],
)
def test_a_network_that_is_not_there_is_refused_in_words(params: dict[str, Any], says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        fit(**params)
    assert caught.value.field == ("param" if "beams" in params else "model")


def test_a_folder_without_a_network_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(DomainError, match="No network of this kind can be loaded"):
        fit(model=str(tmp_path))


def test_without_a_network_the_way_through_a_folder_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DomainError, match=r"facebook/bart-large-cnn could not be fetched \(.*\)\. Fetch its files"):
        fit(model="facebook/bart-large-cnn")


def test_a_word_longer_than_the_network_reads_is_cut(model: Any) -> None:
    [output] = model.predict([SummaryInput("!?" * 100 + " it fits", 5, 1)])
    assert 1 <= output.summary_length <= 5
