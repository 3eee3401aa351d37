"""`make measure-entities`: how well names are found in what people write, on WNUT17 (Derczynski and others, 2017).

The algorithm `minilm` learns from its training part, chooses its epoch on its development part and is asked about its
test part, once a seed. F1 is of whole entities, micro-averaged, with the six labels of the data as they are, which is
how others report it. Beside it stands what the algorithm `spacy` finds, which learned none of it, under the vocabulary
of the task, and `minilm` by the same measure.
"""

import argparse
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pandas as pd

from benchmarks.shops import DATA
from experiments.mltask import Examples, no_progress
from nlp.ml.conll import Sentence, sentences_in
from nlp.ml.entities import ENTITIES, as_text
from nlp.ml.entities_default import SpacyEntities
from nlp.ml.entities_minilm import MiniLMEntities
from nlp.ml.spans import f1, joined

PARTS = {"conll": "wnut17.train.conll", "dev": "wnut17.dev.conll", "test": "wnut17.test.annotated"}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA / "ner")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, help="another number than the algorithm's own")
    parser.add_argument("--rate", type=float, help="another one than the algorithm's own")
    parser.add_argument("--few", type=int, help="take so many sentences of each part, and one epoch: a trial")
    options = parser.parse_args()
    given = {name: getattr(options, name) for name in ("epochs", "rate") if getattr(options, name)}
    parts = {name: sentences_in(str(options.data / file), name) for name, file in PARTS.items()}
    if options.few:
        parts = {name: several[: options.few] for name, several in parts.items()}
        given["epochs"] = 1
    print(", ".join(f"{name} {len(several)} sentences" for name, several in parts.items()))
    examples = as_examples(parts["test"])
    spacy = SpacyEntities().fit(ENTITIES.tiny(), progress=no_progress)
    print(f"spacy: {shown(spacy.evaluate(examples))} in the vocabulary of the task", flush=True)
    figures = [once(seed, parts, examples, given) for seed in options.seeds]
    print(
        f"minilm: F1 {np.mean(figures):.4f}, the mean of {len(figures)}, from {min(figures):.4f} to {max(figures):.4f}"
    )


def once(seed: int, parts: dict[str, list[Sentence]], examples: Examples, given: dict[str, Any]) -> float:
    """F1 on the test part, of one seed."""
    start = time.monotonic()
    model = MiniLMEntities(seed=seed, **given).learn(parts["conll"], parts["dev"], progress=no_progress)
    learned = time.monotonic() - start
    figures = measured(model, parts["test"])
    print(f"minilm, seed {seed}: {shown(figures)}; learned in {learned:.0f} s")
    print(f"  {shown(measured(model, parts['dev']))} on the development part")
    print(f"  {shown(model.evaluate(examples))} in the vocabulary of the task", flush=True)
    return figures["f1"]


def measured(model: MiniLMEntities, sentences: list[Sentence]) -> dict[str, float]:
    """By the labels of the data, words as they are told apart there."""
    found = [{(one.start, one.end, one.label) for one in model.spans_in(sentence.words)} for sentence in sentences]
    truth = [
        {(one.start, one.end, one.label) for one in joined(as_text(sentence.words)[1], sentence.labels)}
        for sentence in sentences
    ]
    return f1(found, truth)


def as_examples(sentences: list[Sentence]) -> Examples:
    columns = {"words": [one.words for one in sentences], "labels": [one.labels for one in sentences]}
    return Examples(pd.DataFrame({"unit": range(len(sentences)), **columns}))


def shown(figures: dict[str, float]) -> str:
    return "F1 {f1:.4f} (precision {precision:.3f}, recall {recall:.3f})".format(**figures)


if __name__ == "__main__":
    main()
