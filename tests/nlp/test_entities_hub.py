"""A network for tokens from the hub or a folder: here a tiny BERT that knows some names by heart (tests/outside.py)."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from experiments.discovery import task_named
from experiments.errors import DomainError, Invalid
from experiments.mltask import no_progress
from nlp.ml.entities import EntitiesInput
from tests import outside


def fit(model: str) -> Any:
    task = task_named("entities")
    return task.algorithms["hub"](model=model).fit(task.tiny(), progress=no_progress)


def found(model: Any, text: str) -> list[tuple[str, str, float]]:
    [answer] = model.predict([EntitiesInput(text)])
    return [(one.word, kind, round(one.score, 1)) for kind, several in answer.entities.items() for one in several]


def test_sub_words_are_one_word_with_the_label_of_the_first(fitted: Any) -> None:
    model = fitted("entities", "hub")
    assert found(model, "it and lopez.") == [("lopez", "PER", 0.5)]  # the mean of `lo` and of `##pez`, that says LOC
    assert found(model, "Maria Lopez, for Zara in New York") == [
        ("Maria Lopez", "PER", 0.7), ("Zara", "ORG", 1.0), ("New York", "LOC", 1.0),
    ]  # fmt: skip


def test_a_text_of_many_windows_finds_every_name_once(fitted: Any) -> None:
    model = fitted("entities", "hub")
    assert model.window < 64
    for filling in range(40):  # the windows meet at another word each time
        text = "it " * filling + "Maria Lopez in New York, " * 30
        words = [word for word, _, _ in found(model, text)]
        assert words == ["Maria Lopez"] * 30 + ["New York"] * 30


def test_the_artifact_has_all_that_it_takes(fitted: Any, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(outside.namer(), folder)
    model, kept = fit(str(folder)), tmp_path / "kept"
    kept.mkdir()
    model.save(kept)
    shutil.rmtree(folder)
    loaded = task_named("entities").algorithms["hub"].load(kept)
    assert found(loaded, "Maria in Berlin") == found(fitted("entities", "hub"), "Maria in Berlin") != []
    assert (kept / "model.safetensors").is_file()
    settings = json.loads((kept / "config.json").read_text()) | json.loads((kept / "tokenizer_config.json").read_text())
    assert str(tmp_path) not in json.dumps(settings)


def test_with_no_model_it_is_said_how_to_name_one() -> None:
    with pytest.raises(Invalid) as caught:
        fit("")
    assert caught.value.field == "model"
    assert "--model dbmdz/bert-large-cased-finetuned-conll03-english" in caught.value.detail
    assert "--model FOLDER" in caught.value.detail


@pytest.mark.parametrize("model", ["/no/such/folder", "./no", "no/such/folder", "../x"])
def test_a_folder_that_is_not_there_is_named(model: str) -> None:
    with pytest.raises(Invalid, match=f"There is no folder {model}"):
        fit(model)


def test_where_the_hub_is_away_it_is_said_what_was_not_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    import huggingface_hub

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(DomainError) as caught:
        fit("someone/a-model-of-names")
    assert "someone/a-model-of-names could not be fetched" in caught.value.detail
    assert "--model FOLDER" in caught.value.detail
    assert "\n" not in caught.value.detail


@pytest.mark.parametrize("missing", ["model.safetensors", "config.json"])
def test_a_folder_without_one_of_its_files_is_refused_in_words(tmp_path: Path, missing: str) -> None:
    shutil.copytree(outside.namer(), tmp_path / "model")
    (tmp_path / "model" / missing).unlink()
    with pytest.raises(DomainError, match=f"No network of this kind can be loaded from {tmp_path / 'model'}: "):
        fit(str(tmp_path / "model"))


def test_weights_that_are_cut_off_are_refused_in_words(tmp_path: Path) -> None:
    shutil.copytree(outside.namer(), tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2_000])
    with pytest.raises(DomainError, match="No network of this kind can be loaded"):
        fit(str(tmp_path / "model"))
