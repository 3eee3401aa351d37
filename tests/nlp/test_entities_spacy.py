"""The entities that spaCy's small pipeline finds, without training and without torch in the process."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from experiments.discovery import task_named
from nlp.ml.entities import EntitiesInput

SENTENCE = "Barack Obama visited the Microsoft office in Paris on Monday and paid $200."


def found(model: Any, text: str) -> dict[str, list[tuple[str, str]]]:
    [answer] = model.predict([EntitiesInput(text)])
    return {kind: [(one.word, one.label) for one in several] for kind, several in answer.entities.items()}


def test_it_is_what_is_trained_where_nothing_else_is_said() -> None:
    assert next(iter(task_named("entities").algorithms)) == "spacy"


def test_a_sentence_has_its_person_its_company_its_place_and_its_date(fitted: Any) -> None:
    answer = found(fitted("entities", "spacy"), SENTENCE)
    assert answer["PER"] == [("Barack Obama", "PERSON")]
    assert answer["ORG"] == [("Microsoft", "ORG")]
    assert answer["LOC"] == [("Paris", "GPE")]
    assert answer["DATE"] == [("Monday", "DATE")]
    assert [label for _, label in answer["MONEY"]] == ["MONEY"]


def test_a_name_that_may_be_two_things_has_a_lower_score(fitted: Any) -> None:
    [sure] = fitted("entities", "spacy").predict([EntitiesInput(SENTENCE)])
    text = "They went to the Microsoft office and paid $200 for a copy of War and Peace."
    [unsure] = fitted("entities", "spacy").predict([EntitiesInput(text)])
    assert sure.entities["LOC"][0].score > 0.99
    assert 0 < min(one.score for several in unsure.entities.values() for one in several) < 0.99


def test_words_of_texts_do_not_stay_in_memory(fitted: Any) -> None:
    model = fitted("entities", "spacy")
    model.predict([EntitiesInput(SENTENCE)])
    vocabulary = model.pipeline.pipeline.vocab
    before = len(vocabulary.strings)
    model.predict([EntitiesInput(f"word{number} and Xyz{number * 7} met in Qwertz{number}.") for number in range(50)])
    assert len(vocabulary.strings) == before
    assert "Qwertz7" not in vocabulary


def test_many_threads_with_texts_of_their_own_get_the_answers_of_one(fitted: Any) -> None:
    model = fitted("entities", "spacy")
    texts = [f"Peter{number} Smith went from Berlin to Oslo{number} with Angela Merkel." for number in range(40)]
    alone = [found(model, text) for text in texts]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda text: found(model, text), texts)) == alone


def test_a_process_that_answers_has_no_torch_and_may_still_import_it(fitted: Any, tmp_path: Path) -> None:
    fitted("entities", "spacy").save(tmp_path)
    script = (
        "import sys, pathlib; from nlp.ml.entities import *; from nlp.ml.entities_default import SpacyEntities\n"
        "SpacyEntities.load(pathlib.Path(sys.argv[1])).predict([ENTITIES.example])\n"
        "assert 'torch' not in sys.modules and 'spacy' in sys.modules\n"
        "import torch; torch.zeros(1)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("length", [1_999, 2_000, 2_001, 20_000])
def test_windows_cover_a_text_and_share_some_of_it(length: int) -> None:
    from nlp.ml.entities_default import OVERLAP, WINDOW, windows_of

    for text in ("x" * length, ("word " * length)[:length]):
        windows = list(windows_of(text))
        assert windows[0][0] == 0 and windows[-1][1] == length
        assert all(0 < end - start <= WINDOW for start, end in windows)
        shared = [end - start for (_, end), (start, _) in pairwise(windows)]
        assert all(OVERLAP <= one <= 2 * OVERLAP for one in shared)
