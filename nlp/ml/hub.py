"""What transformers can load, by its name on the hub of Hugging Face or from a folder."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from experiments.errors import DomainError, Invalid
from experiments.network import THREADS, first_line

T = TypeVar("T")


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
