"""MiniLM taught to label words, in torch.

What helps on few and noisy sentences: the vectors of words stay as they are, so that a name which was never seen is
read like those that were; now and then a word is hidden, or a sentence loses its capitals; lower layers take smaller
steps (Howard and Ruder, 2018); weights are averaged over the steps; and how readily a name is seen is chosen on
sentences that were held back.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from experiments.mltask import Progress
from experiments.network import Network
from nlp.ml.conll import Sentence
from nlp.ml.entities import as_text
from nlp.ml.minilm import padded, tokens
from nlp.ml.spans import Span, f1, joined
from nlp.ml.tagging import LOWER, NUMBERS, Piece, labels_for, likeliest, log_softmax, pieces_of
from nlp.ml.tagging_network import copied, follow, optimiser_of, states_file, tagger

BATCH = 16
TOGETHER = 20  # batches that are sorted by length at a time
WARM_UP, LONGEST_STEP = 0.1, 1.0
HIDDEN, WITHOUT_CAPITALS = 0.1, 0.1  # shares of words and of sentences
AVERAGE = 0.99
LENIENCE = (0.0, 0.5, 1.0, 1.5, 2.0)  # what O may lose of its logit
NONE = -100  # a token without a label


@dataclass(frozen=True)
class Lesson:
    piece: Piece
    answers: tuple[int, ...]  # of its words, numbers of labels


def trained(
    sentences: Sequence[Sentence], held: Sequence[Sentence], *, epochs: int, rate: float, seed: int, progress: Progress
) -> tuple[Network, np.ndarray, np.ndarray, tuple[str, ...]]:
    """The network from ids and shapes to states, as a file; weight (384, labels) and bias (labels,) of what comes
    after; and the labels. From the epoch and with the lenience that found most in `held`.
    """
    import torch

    every = (label for one in (*sentences, *held) for label in one.labels)
    labels = labels_for(sorted({label[2:] for label in every if label != "O"}))
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    lessons, known = ([one for sentence in part for one in _lessons(sentence, labels)] for part in (sentences, held))
    network = tagger(len(labels))
    averaged, best, optimiser = copied(network), copied(network), optimiser_of(network, rate)
    steps = epochs * -(-len(lessons) // BATCH)
    warm, step, most, lenience = max(1.0, WARM_UP * steps), 0, -1.0, 0.0
    for _ in range(epochs):
        for batch in _batches(lessons, draw):
            progress(step, steps, "learning")
            for group in optimiser.param_groups:
                group["lr"] = group["full"] * min((step + 1) / warm, (steps - step) / max(steps - warm, 1.0))
            ids, mask, shapes, answers = (torch.from_numpy(one) for one in _arrays(batch, draw))
            scores = network.train()(ids, mask, shapes)
            loss = torch.nn.functional.cross_entropy(scores.flatten(0, 1), answers.flatten(), ignore_index=NONE)
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(network.parameters(), LONGEST_STEP)
            optimiser.step()
            step += 1
            follow(averaged, network, min(AVERAGE, step / (step + 10)))
        progress(step, steps, "looking at what was held back")
        found, wanted = _quality(averaged, known, labels)
        if found >= most:
            most, lenience = found, wanted
            follow(best, averaged, 0.0)
    bias = best.head.bias.detach().numpy().copy()
    bias[0] -= lenience
    return states_file(best), best.head.weight.detach().numpy().T.copy(), bias, labels


def _lessons(sentence: Sentence, labels: tuple[str, ...]) -> Iterator[Lesson]:
    """An I- that nothing began is made a B-."""
    text, places = as_text(sentence.words)
    numbers = [0] * len(places)
    for span in joined([(word, word + 1) for word in range(len(places))], sentence.labels):
        first = labels.index(f"B-{span.label}")
        numbers[span.start : span.end] = [first, *[first + 1] * (span.end - span.start - 1)]
    for piece in pieces_of(text, places, tokens()):
        yield Lesson(piece, tuple(numbers[word] for word in piece.words))


def _batches(lessons: Sequence[Lesson], draw: np.random.Generator) -> Iterator[list[Lesson]]:
    """Of about the same length each, in random order."""
    order = draw.permutation(len(lessons))
    batches: list[list[Lesson]] = []
    for start in range(0, len(order), BATCH * TOGETHER):
        near = sorted((lessons[one] for one in order[start : start + BATCH * TOGETHER]), key=_length)
        batches += [near[at : at + BATCH] for at in range(0, len(near), BATCH)]
    for number in draw.permutation(len(batches)):
        yield batches[number]


def _length(lesson: Lesson) -> int:
    return len(lesson.piece.shapes)


def _arrays(batch: Sequence[Lesson], draw: np.random.Generator | None = None) -> tuple[np.ndarray, ...]:
    """Ids, mask, shapes and answers, int64 of shape (pieces, tokens); with `draw`, some is hidden."""
    ids, mask = padded([one.piece.window for one in batch])
    shapes, answers = np.full_like(ids, LOWER), np.full_like(ids, NONE)
    for row, one in enumerate(batch):
        piece = one.piece
        shapes[row, : len(piece.shapes)] = piece.shapes
        answers[row, list(piece.firsts)] = one.answers
        if draw is None:
            continue
        if draw.random() < WITHOUT_CAPITALS:
            shapes[row][shapes[row] < NUMBERS["address"]] = LOWER
        ends = [*piece.firsts[1:], len(piece.shapes) - 1]
        for first, end, hidden in zip(piece.firsts, ends, draw.random(len(ends)) < HIDDEN, strict=True):
            if hidden:
                ids[row, first:end] = tokens().tokenizer.token_to_id("[MASK]")
    return ids, mask, shapes, answers


def _quality(network: Any, held: Sequence[Lesson], labels: tuple[str, ...]) -> tuple[float, float]:
    """The best F1 of whole entities, and the lenience that it takes: the least of several."""
    import torch

    logits, truth = [], []
    for start in range(0, len(held), 2 * BATCH):
        batch = held[start : start + 2 * BATCH]
        with torch.inference_mode():
            scores = network(*(torch.from_numpy(one) for one in _arrays(batch)[:3])).numpy()
        logits += [row[list(one.piece.firsts)] for row, one in zip(scores, batch, strict=True)]
        truth += [_spans(one.answers, labels) for one in batch]
    best = (0.0, 0.0)
    for lenience in LENIENCE:
        less = np.zeros(len(labels))
        less[0] = lenience
        found = [_spans(likeliest(log_softmax(one - less), labels), labels) for one in logits]
        best = max(best, (f1(found, truth)["f1"], lenience), key=lambda one: one[0])
    return best


def _spans(numbers: Sequence[int], labels: tuple[str, ...]) -> set[Span]:
    """Places in words."""
    return set(joined([(word, word + 1) for word in range(len(numbers))], [labels[number] for number in numbers]))
