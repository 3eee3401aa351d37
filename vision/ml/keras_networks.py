"""The networks of keras.applications, MobileNetV2 (Sandler et al., 2018) and ResNet50 (He et al., 2016), as algorithms
of `image`. Their weights come from Keras' hub, or from a file where there is no network.
"""

import json
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np

from experiments.errors import DomainError, Invalid
from experiments.mltask import Examples, Image, Progress
from experiments.network import THREADS, first_line, params_of
from vision.ml.image import IMAGE, Classes, ImageInput, ImageOutput, scores_of
from vision.ml.lite0 import imagenet
from vision.ml.onnx_file import shares_of
from vision.ml.pixels import centre

SIDE = 224  # pixels
HUB = "imagenet"  # these weights are fetched


class KerasNetwork:
    """`weights` is `imagenet` (from the hub) or the path of a .weights.h5, .h5 or .keras file of this architecture;
    `classes` is the path of a file such as Keras' imagenet_class_index.json, {"0": [label, description], …}, for
    weights with other classes than those of ImageNet. The network is compiled, and never asked through `predict()`.
    """

    architecture: ClassVar[str]
    module: ClassVar[str]  # of keras.applications, which has its preprocessing

    def __init__(self, weights: str = HUB, classes: str = "") -> None:
        self.weights, self.classes = weights, classes

    def fit(self, examples: Examples, *, progress: Progress) -> Self:
        """Needs no examples: brings the weights in."""
        progress(0, 2, "loading the weights")
        found = self._classes_in_file() if self.classes else None
        network = self._weighted(len(found.labels) if found else len(imagenet().labels))
        progress(1, 2, "compiling the network")
        self.use(network, found or self._classes_of_hub() or imagenet())
        progress(2, 2, "ready")
        return self

    def _options(self) -> dict[str, Any]:
        """What the architecture takes beside its weights."""
        return {}

    def _built(self, weights: str | None, classes: int) -> Any:
        import keras

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Keras warns of containers that hold no weights
            make = getattr(keras.applications, self.architecture)
            return make(weights=weights, classes=classes, **self._options())

    def _weighted(self, classes: int) -> Any:
        if self.weights != HUB and not Path(self.weights).is_file():
            raise Invalid("weights", f"There is no file {self.weights}.")
        try:
            return self._built(self.weights, classes)
        except Exception as error:  # a bare Exception where the network is away, and whatever h5py raises
            if self.weights != HUB:
                raise Invalid(
                    "weights", f"{self.weights} has no weights of {self.architecture} for {classes:,} classes: "
                    f"{first_line(error)}",
                ) from error  # fmt: skip
            raise DomainError(
                f"The weights of {self.architecture} could not be fetched ({first_line(error)}). Fetch that file where"
                f" there is a network, bring it here, and say: manage.py train image --algorithm {self._name()}"
                " --weights FILE"
            ) from error

    def _name(self) -> str:
        return next(name for name, made in IMAGE.algorithms.items() if made is type(self))

    def _classes_in_file(self) -> Classes:
        try:
            kept = json.loads(Path(self.classes).read_text("utf-8"))
            rows = [kept[str(number)] for number in range(len(kept))]
            labels, descriptions = zip(*((str(label), str(words)) for label, words in rows), strict=True)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Invalid("classes", f'Expected {{"0": [label, description], …}} as JSON in {self.classes}.') from error
        return Classes(labels, descriptions)

    def _classes_of_hub(self) -> Classes | None:
        """As `decode_predictions` names them; that fetches a list of names, so it goes with weights from the hub."""
        if self.weights != HUB:
            return None
        with suppress(Exception):  # no network: the order is the same in every list
            import keras

            named = keras.applications.imagenet_utils.decode_predictions(np.eye(len(imagenet().labels)), top=1)
            return Classes(tuple(one[0][0] for one in named), tuple(one[0][1].replace("_", " ") for one in named))
        return None

    def use(self, network: Any, classes: Classes) -> Self:
        self.network, self.names = network, classes
        self.answer = self._compiled(network)
        return self

    def _compiled(self, network: Any) -> Callable[[np.ndarray], Any]:
        """One call of the graph from values of 0 to 255, shape (1, 224, 224, 3), to the classes' shares."""
        import keras
        import tensorflow as tf

        with suppress(RuntimeError):  # TensorFlow has run already in this process: its threads stay as they are
            tf.config.threading.set_intra_op_parallelism_threads(THREADS)
            tf.config.threading.set_inter_op_parallelism_threads(THREADS)
        prepared = getattr(keras.applications, self.module).preprocess_input

        def answer(values: Any) -> Any:
            return network(prepared(values), training=False)

        compiled: Callable[[np.ndarray], Any] = tf.function(
            answer, input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.float32)], autograph=False
        )
        return compiled

    def predict(self, batch: Sequence[ImageInput]) -> list[ImageOutput]:
        return [self.names.answer(shares_of(self._numbers(one.image))) for one in batch]

    def _numbers(self, image: Image) -> np.ndarray:
        values = np.asarray(centre(image, SIDE, SIDE), np.float32)[None]
        numbers: np.ndarray = self.answer(values).numpy()[0].astype(np.float64)
        return numbers

    def evaluate(self, examples: Examples) -> dict[str, float]:
        return scores_of(self, examples)

    def save(self, folder: Path) -> None:
        """The weights as arrays in the order of the layers: Keras' own files differ from save to save."""
        np.savez(folder / "weights.npz", *self.network.get_weights())
        kept = {"params": params_of(self), "labels": self.names.labels, "descriptions": self.names.descriptions}
        (folder / "classes.json").write_text(json.dumps(kept))

    @classmethod
    def load(cls, folder: Path) -> Self:
        kept = json.loads((folder / "classes.json").read_text())
        self = cls(**kept["params"])
        network = self._built(None, len(kept["labels"]))
        with np.load(folder / "weights.npz") as arrays:
            network.set_weights([arrays[name] for name in arrays.files])
        return self.use(network, Classes(tuple(kept["labels"]), tuple(kept["descriptions"])))


@IMAGE.algorithm("mobilenet_v2")
class MobileNetV2(KerasNetwork):
    """`alpha` is the share of the channels that the weights were trained with."""

    architecture, module = "MobileNetV2", "mobilenet_v2"

    def __init__(self, weights: str = HUB, classes: str = "", alpha: float = 1.0) -> None:
        super().__init__(weights, classes)
        self.alpha = alpha

    def _options(self) -> dict[str, Any]:
        return {"alpha": self.alpha}


@IMAGE.algorithm("resnet50")
class ResNet50(KerasNetwork):
    architecture, module = "ResNet50", "resnet50"
