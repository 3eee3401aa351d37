"""MiniLM with a layer that tells labels of words apart, in torch: as a network, what optimises it, and as a file."""

import copy
from typing import Any

import numpy as np

from experiments.exporting import assert_same, exported
from experiments.network import Network
from nlp.ml.minilm import DIMENSIONS, tokens, weighted
from nlp.ml.tagging import NUMBERS

DECAY, DROPOUT = 0.01, 0.2
LOWER_LAYER = 0.9  # of the rate, each layer further down
NEW = 20  # times the rate for what starts from nothing: the shapes and the head


def tagger(count: int) -> Any:
    """From ids, mask and shapes, int64 of shape (texts, tokens), to logits (texts, tokens, `count`)."""
    import torch

    class Tagger(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = weighted()
            parts = self.encoder.embeddings
            parts.word_embeddings.requires_grad_(False)
            same = parts.token_type_embeddings.weight[:1].detach().repeat(len(NUMBERS), 1)
            parts.token_type_embeddings = torch.nn.Embedding.from_pretrained(same, freeze=False)  # type: ignore[no-untyped-call]
            self.head = torch.nn.Linear(DIMENSIONS, count)

        def forward(self, ids: torch.Tensor, mask: torch.Tensor, shapes: torch.Tensor) -> torch.Tensor:
            states = self.encoder(input_ids=ids, attention_mask=mask, token_type_ids=shapes).last_hidden_state
            scores: torch.Tensor = self.head(torch.nn.functional.dropout(states, DROPOUT, self.training))
            return scores

    return Tagger()


def learning(network: Any) -> dict[str, Any]:
    """Its weights that learn, by name."""
    named = network.named_parameters()
    return {name: one for name, one in named if one.requires_grad and "pooler" not in name}


def optimiser_of(network: Any, rate: float) -> Any:
    """Each group knows its `full` rate."""
    import torch

    groups: dict[tuple[float, float], list[Any]] = {}
    layers = network.encoder.config.num_hidden_layers
    for name, parameter in learning(network).items():
        new = "token_type" in name or name.startswith("head")
        layer = int(name.split("layer.")[1].split(".")[0]) if "encoder.layer." in name else -1
        full = rate * NEW if new else rate * LOWER_LAYER ** (layers - 1 - layer)
        groups.setdefault((full, DECAY if parameter.ndim > 1 else 0.0), []).append(parameter)
    return torch.optim.AdamW(
        [{"params": several, "full": full, "weight_decay": decay} for (full, decay), several in groups.items()],
        lr=rate,
        fused=True,
    )


def copied(network: Any) -> Any:
    """Vectors of words, which do not learn, are shared."""
    shared = network.encoder.embeddings.word_embeddings
    return copy.deepcopy(network, {id(shared): shared}).eval()


def follow(slow: Any, fast: Any, keep: float) -> None:
    """The average of weights goes on; with `keep` 0, one takes those of the other."""
    import torch

    with torch.no_grad():
        for one, other in zip(learning(slow).values(), learning(fast).values(), strict=True):
            one.lerp_(other, 1 - keep)


def states_file(network: Any) -> Network:
    """From ids and shapes, all tokens real, to states (texts, tokens, 384), as an ONNX file. Raises DomainError where
    the file answers differently.
    """
    import torch

    class States(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = network.encoder

        def forward(self, ids: torch.Tensor, shapes: torch.Tensor) -> torch.Tensor:
            states: torch.Tensor = self.encoder(input_ids=ids, token_type_ids=shapes).last_hidden_state
            return states

    states = States().eval()
    [window] = tokens().windows("Some words of a Sample, to look at what goes in and comes out")
    ids, shapes = window.array(), np.arange(len(window.ids))[None] % len(NUMBERS)
    file = Network(exported(states, *(np.repeat(one, 2, axis=0) for one in (ids, shapes)), free=2))
    for length in (len(window.ids), 4):
        given = ids[:, :length], shapes[:, :length]
        with torch.no_grad():
            wanted = states(*(torch.from_numpy(one) for one in given)).numpy()
        assert_same(file.run(*given)[0], wanted)
    return file
