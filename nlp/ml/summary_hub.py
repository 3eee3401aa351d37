"""The algorithm `hub` of `summary`: a sequence-to-sequence transformer from the hub or a folder, such as BART taught on
news (Lewis and others, "BART", 2020), that writes the summary in words of its own.
"""

import json
import math
from collections.abc import Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Self

from experiments.errors import Invalid
from experiments.mltask import Examples, Progress
from experiments.network import params_of
from nlp.ml.hub import brought, one_thread
from nlp.ml.sentences import sentences_of
from nlp.ml.summary import SUMMARY, SummaryInput, SummaryOutput, answer, as_it_is, scores_of, trimmed, word_count

EXAMPLE = "facebook/bart-large-cnn"
PARTS_OF = 1_024  # tokens, where the network does not say how many it reads
ROUNDS = 4  # of summarising summaries
LONGER = (1.0, 1.5, 2.5)  # times so many tokens are asked for, until the words are enough


@SUMMARY.algorithm("hub")
class HubSummary:
    """`model` is a name on the hub (facebook/bart-large-cnn) or a folder; `beams` is the width of the beam search. A
    text longer than the network reads is taken in parts, and the parts' summaries are summarised together.
    """

    def __init__(self, model: str = "", beams: int = 4) -> None:
        self.model, self.beams = model, beams

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: brings the weights in."""
        if self.beams < 1:
            raise Invalid("param", f"beams must be at least 1, got {self.beams}.")
        progress(0, 1, "loading the network")
        self.use(*brought(_loaded, self.model, EXAMPLE))
        progress(1, 1, "loaded")
        return self

    def use(self, network: Any, tokenizer: Any) -> Self:
        one_thread()
        for where in ("is_local", "local_files_only"):  # the artifact does not keep where it came from
            tokenizer.init_kwargs.pop(where, None)
        self.network, self.tokenizer = network, tokenizer
        self.lock = Lock()  # a tokenizer is one thread's at a time
        self.room = self._room()
        settings = getattr(network.config, "task_specific_params", None) or {}
        self.prefix = str(settings.get("summarization", {}).get("prefix", ""))  # T5 is told what to do
        return self

    def _room(self) -> int:
        """How many tokens the network reads at once, those that stand around them included."""
        known = (getattr(self.network.config, "max_position_embeddings", None), self.tokenizer.model_max_length)
        return min(PARTS_OF, *(int(one) for one in known if one and one > 0))

    def predict(self, batch: Sequence[SummaryInput]) -> list[SummaryOutput]:
        return [as_it_is(one) or self._summary(one) for one in batch]

    def _summary(self, given: SummaryInput) -> SummaryOutput:
        most = given.max_length
        least = min(given.min_length, most)
        text = given.text
        for _ in range(ROUNDS):
            parts = self.parts(text)
            shorter = " ".join(filter(None, (self._written(part, least, most, len(parts)) for part in parts)))
            done = len(parts) == 1 or word_count(shorter) <= most or len(shorter) >= len(text)
            text = shorter
            if done:
                break
        return answer(given, trimmed(text, least, most), "abstractive")

    def parts(self, text: str) -> list[str]:
        """Of at most as many tokens as the network reads, cut between sentences where these are not longer."""
        room = self.room - self.tokenizer.num_special_tokens_to_add() - self._count(self.prefix)
        found: list[str] = []
        held, size = "", 0
        for piece in (short for one in sentences_of(text) for short in self._short(one.text, room)):
            tokens = self._count(piece)
            if held and size + tokens > room:
                found.append(held)
                held, size = "", 0
            held, size = f"{held} {piece}".lstrip(), size + tokens
        return [*found, held]

    def _short(self, text: str, room: int) -> list[str]:
        """The text in halves, and these again, until each fits or is one word."""
        words = text.split()
        if len(words) < 2 or self._count(text) <= room:
            return [text]
        middle = len(words) // 2
        return [*self._short(" ".join(words[:middle]), room), *self._short(" ".join(words[middle:]), room)]

    def _count(self, text: str) -> int:
        with self.lock:
            return len(self.tokenizer.encode(f" {text}", add_special_tokens=False))

    def _written(self, part: str, least: int, most: int, parts: int) -> str:
        """The summary of one of so many parts. Bounds are told in tokens, at as many a word as the part has."""
        words = word_count(part)
        most = min(most, words)
        least = min(math.ceil(least / parts), words // 2 if parts > 1 else most)
        a_word = max(self._count(part) / words, 1.0)
        found = ""
        for longer in LONGER:
            found = self._generated(part, math.ceil(least * a_word * longer), math.ceil(most * a_word * longer))
            if word_count(found) >= least:
                break
        return found

    def _generated(self, part: str, least: int, most: int) -> str:
        """A text of so many tokens."""
        import torch

        most = max(min(most + 1, self.room - 1), 1)  # the one that ends it too
        with self.lock:
            ids = self.tokenizer.encode(self.prefix + part)
        if len(ids) > self.room:  # a word longer than the network reads
            ids = [*ids[: self.room - 1], ids[-1]]
        given = torch.tensor([ids])
        with torch.inference_mode():
            [found] = self.network.generate(
                input_ids=given, attention_mask=torch.ones_like(given), num_beams=self.beams, do_sample=False,
                min_new_tokens=min(least, most - 1), max_new_tokens=most, min_length=None, max_length=None,
            )  # fmt: skip
        with self.lock:
            return str(self.tokenizer.decode(found, skip_special_tokens=True)).strip()

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        """Weights as safetensors."""
        self.network.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        (folder / "params.json").write_text(json.dumps(params_of(self)))

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls(**json.loads((folder / "params.json").read_text())).use(*_loaded(str(folder), True))


def _loaded(source: str, local: bool) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    network: Any = AutoModelForSeq2SeqLM.from_pretrained(source, local_files_only=local, dtype=torch.float32)
    return network.eval(), AutoTokenizer.from_pretrained(source, local_files_only=local)
