"""The dictionary of n-grams against scikit-learn, which it must agree with."""

from pathlib import Path

import numpy as np
import pytest

from nlp.ml.ngrams import Ngrams

TEXTS = [
    "Not good, not good at all!",
    "Good good good. Really GOOD?",
    "Too big, too wide: not for me",
    "Größe passt, très bien, 100 % cotton",
    "not at all",
]


def fitted(longest: int = 3, min_df: int = 1) -> tuple[Ngrams, object]:
    ngrams = Ngrams(longest, min_df)
    vectorizer = ngrams.vectorizer().fit(TEXTS)
    weights = np.random.default_rng(0).normal(size=len(vectorizer.idf_))
    return ngrams.use(list(vectorizer.get_feature_names_out()), vectorizer.idf_, weights), vectorizer


@pytest.mark.parametrize("longest", [1, 2, 3])
@pytest.mark.parametrize("min_df", [1, 2])
def test_a_score_is_the_product_of_the_tfidf_vector_with_the_weights(longest: int, min_df: int) -> None:
    ngrams, vectorizer = fitted(longest, min_df)
    for text in [*TEXTS, "good", "not good and not bad", "all new words here but good"]:
        expected = vectorizer.transform([text]).toarray()[0] @ ngrams.weights
        assert ngrams.score(text) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("text", ["", " \n\t", "zebra quartz", "...", "\U0001f600", "x" * 10_000])
def test_a_text_without_a_known_ngram_scores_nothing(text: str) -> None:
    assert fitted()[0].score(text) == 0.0


def test_ngrams_are_runs_of_lower_case_words_and_marks_of_emphasis() -> None:
    assert Ngrams(2, 1).analyze("Don't BUY, it's bad!!") == [
        "don", "t", "buy", "it", "s", "bad", "!", "!",
        "don t", "t buy", "buy it", "it s", "s bad", "bad !", "! !",
    ]  # fmt: skip


def test_what_was_saved_scores_the_same(tmp_path: Path) -> None:
    ngrams, _ = fitted()
    ngrams.save(tmp_path, "text")
    loaded = Ngrams(3, 1).load(tmp_path, "text")
    assert [loaded.score(text) for text in TEXTS] == [ngrams.score(text) for text in TEXTS]
    assert loaded.words == ngrams.words


def test_an_empty_vocabulary_is_saved_too(tmp_path: Path) -> None:
    Ngrams(3, 1).use([], np.array([]), np.array([])).save(tmp_path, "title")
    assert Ngrams(3, 1).load(tmp_path, "title").score("good") == 0.0
