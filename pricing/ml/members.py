"""Several small networks of the same shape that answer together, by numpy: centre and scale of what is asked for.

A member is an embedding of the place beside the numbers, and Dense layers with relu between them. The last layer is
linear, so the mean of all members is one Dense layer over all that they made before it; that is what is answered.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np

STORED = "weights.npz"


@dataclass(frozen=True)
class Members:
    """`embedding` has the shape (places, members, size); of each layer, the kernel (members, inputs, outputs) and the
    bias (members, outputs). The last one's outputs are centre and logarithm of the scale, in scales of the target.
    """

    embedding: np.ndarray
    kernels: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]

    def __post_init__(self) -> None:
        for name in ("kernels", "biases"):  # numbers are kept in single, and summed in double precision
            object.__setattr__(self, name, tuple(one.astype(np.float64) for one in getattr(self, name)))
        object.__setattr__(self, "embedding", self.embedding.astype(np.float64))

    def answers(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """`numbers` has the shape (rows, columns), `places` (rows,); (rows, 2) is the mean of the members."""
        kernel, bias = self.head()
        found: np.ndarray = (self._hidden(numbers, places).reshape(len(places), 1, -1) @ kernel)[:, 0] + bias
        return found

    def each(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """What every member says, shape (rows, members, 2)."""
        found: np.ndarray = (self._hidden(numbers, places) @ self.kernels[-1])[:, :, 0] + self.biases[-1]
        return found

    def head(self) -> tuple[np.ndarray, np.ndarray]:
        """Kernel (members * inputs, 2) and bias (2,) of the mean of all."""
        count = len(self.kernels[-1])
        return self.kernels[-1].reshape(-1, 2) / count, self.biases[-1].sum(axis=0) / count

    def _hidden(self, numbers: np.ndarray, places: np.ndarray) -> np.ndarray:
        """Shape (rows, members, 1, width). Each row is a product of its own for BLAS, or it would come out otherwise
        in the last digits when it is asked with others.
        """
        members = self.embedding.shape[1]
        repeated = np.broadcast_to(numbers[:, None], (len(numbers), members, numbers.shape[1]))
        hidden = np.concatenate([repeated, self.embedding[places]], axis=2)[:, :, None]
        for kernel, bias in zip(self.kernels[:-1], self.biases[:-1], strict=True):
            hidden = np.maximum(hidden @ kernel + bias[:, None], 0.0)
        return hidden

    def save(self, folder: Path) -> None:
        layers = {f"kernel{number}": one for number, one in enumerate(self.kernels)}
        layers |= {f"bias{number}": one for number, one in enumerate(self.biases)}
        arrays = {"embedding": self.embedding, **layers}
        np.savez(folder / STORED, allow_pickle=False, **{name: one.astype(np.float32) for name, one in arrays.items()})

    @classmethod
    def load(cls, folder: Path) -> Self:
        with np.load(folder / STORED, allow_pickle=False) as kept:
            count = sum(name.startswith("kernel") for name in kept.files)
            kernels, biases = (tuple(kept[f"{of}{n}"] for n in range(count)) for of in ("kernel", "bias"))
            return cls(kept["embedding"], kernels, biases)
