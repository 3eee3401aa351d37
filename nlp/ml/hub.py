"""What transformers can load, by its name on the hub of Hugging Face or from a folder."""

import json
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.network import THREADS, first_line, params_of

T = TypeVar("T")
PARAMS = "params.json"


def brought(load: Callable[[str, bool], T], model: str, example: str) -> T:
    """What `load(source, local)` gives for a name or a folder: `local` says that nothing may be fetched. Raises Invalid
    where nothing is named, and DomainError where it cannot be had.
    """
    if not model:
        raise Invalid(
            "model", f"Name a model of the hub: --model {example}, or, where there is no network, a folder that has its"
            " files: --model FOLDER.",
        )  # fmt: skip
    folder = Path(model).expanduser()
    if folder.is_dir():
        try:
            return load(str(folder), True)
        except Exception as error:  # whatever transformers and the tokenizers raise
            raise DomainError(f"No network of this kind can be loaded from {model}: {first_line(error)}") from error
    if model.count("/") > 1 or model[0] in "./~":
        raise Invalid("model", f"There is no folder {model}.")
    with suppress(Exception):
        return load(model, True)  # it was fetched before
    try:
        return load(model, False)
    except Exception as error:
        raise DomainError(
            f"{model} could not be fetched ({first_line(error)}). Fetch its files where there is a network, bring them"
            " here, and say: --model FOLDER"
        ) from error


def one_thread() -> None:
    """For each call: requests come on several threads, and those would fight for the cores."""
    import torch
    from transformers.utils.logging import disable_progress_bar

    torch.set_num_threads(THREADS)
    disable_progress_bar()  # type: ignore[no-untyped-call]


def fast_part(tokenizer: Any) -> Any:
    """The part of a tokenizer that says where tokens stand, and that threads may share: the rest of it changes settings
    with every call. Raises DomainError where it has none.
    """
    if not tokenizer.is_fast:
        raise DomainError("Its tokenizer does not say where tokens stand: tokenizer.json is missing.")
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer.backend_tokenizer


def window(network: Any, tokenizer: Any, around: int, longest: int = 512) -> int:
    """How many tokens of a text go into one call of the network, without the `around` that stand beside them."""
    most = getattr(network.config, "max_position_embeddings", longest) or longest
    return min(longest, int(tokenizer.model_max_length), most - 2) - around  # RoBERTa has two places of no token


class Reader:
    """What algorithms share that read a text with a network for labels, window by window."""

    def take(self, network: Any, tokenizer: Any) -> None:
        one_thread()
        self.network, self.tokenizer, self.fast = network, tokenizer, fast_part(tokenizer)
        self.labels = [str(network.config.id2label[number]) for number in range(network.config.num_labels)]
        sample = self.fast.encode("a")
        own = [number for number, special in enumerate(sample.special_tokens_mask) if not special]
        self.before, self.after = sample.ids[: own[0]], sample.ids[own[-1] + 1 :]
        self.window = window(network, tokenizer, len(self.before) + len(self.after))

    def shares(self, ids: list[int]) -> np.ndarray:
        """Of each label, for a window without what stands around it: shape (labels,), or (tokens with those around,
        labels) where the network speaks of each token.
        """
        import torch

        with torch.inference_mode():
            logits = self.network(input_ids=torch.tensor([[*self.before, *ids, *self.after]])).logits[0]
            found: np.ndarray = torch.softmax(logits.double(), -1).numpy()
        return found

    def save(self, folder: Path) -> None:
        self.network.save_pretrained(folder, safe_serialization=True)
        self.tokenizer.save_pretrained(folder)
        (folder / PARAMS).write_text(json.dumps(params_of(self)))
