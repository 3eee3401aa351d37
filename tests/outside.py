"""What some algorithms need to be tested, such as a file of weights from outside: made here, small, once a run."""

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from string import ascii_lowercase
from typing import Any

import numpy as np

from experiments.mltask import MLTask

RUN_ON_A_HEAVY_LIBRARY = {("image", "mobilenet_v2"), ("image", "resnet50")}  # Keras networks, by TensorFlow
RUN_ON_A_HEAVY_LIBRARY |= {("summary", "hub"), ("entities", "hub"), ("sentiment", "hub")}  # by torch


def made(task: MLTask[Any, Any], algorithm: str) -> Any:
    """An unfitted predictor of the task, with what it needs."""
    return task.algorithms[algorithm](**parameters(task.name, algorithm))


def parameters(task: str, algorithm: str) -> dict[str, Any]:
    needed: dict[tuple[str, str], Callable[[], dict[str, Any]]] = {
        ("image", "onnx"): _classifier,
        ("image", "mobilenet_v2"): lambda: _keras("MobileNetV2", alpha=0.35),
        ("image", "resnet50"): lambda: _keras("ResNet50"),
        ("detect", "onnx"): _detector,
        ("image_embedding", "efficientnet_lite0_tuned"): lambda: {"epochs": 1},  # time
        ("entities", "hub"): lambda: {"model": str(namer())},
        ("entities", "minilm"): lambda: {"epochs": 3, "rate": 5e-4},  # time
        ("sentiment", "hub"): lambda: {"model": str(judge())},
        ("summary", "hub"): lambda: {"model": str(writer()), "beams": 1},  # time
    }
    return needed.get((task, algorithm), dict)()


@cache
def _folder() -> Path:
    """Gone when the run ends."""
    made = tempfile.TemporaryDirectory()
    _kept.append(made)
    return Path(made.name)


_kept: list[Any] = []


@cache
def _classifier() -> dict[str, Any]:
    from tests import networks

    names = networks.labels(_folder() / "classes.txt", "disc", "bar", "ring", "star")
    return {"onnx": str(networks.classifier(_folder() / "classifier.onnx")), "labels": str(names)}


@cache
def _detector() -> dict[str, Any]:
    from tests import networks

    boxes = np.array([[32, 32, 40, 20, 0.1, 0.7], [20, 20, 8, 8, 0.6, 0.1], [22, 20, 8, 8, 0.5, 0.1]])
    colours = np.zeros((3, 6))
    colours[:, 4:] = 0.2
    path = networks.detector(_folder() / "detector.onnx", boxes, colours=colours)
    return {"onnx": str(path), "labels": str(networks.labels(_folder() / "objects.txt", "disc", "bar"))}


@cache
def _keras(architecture: str, **options: Any) -> dict[str, Any]:
    """Weights of the real architecture, at random; the last layer is set so that it tells pictures apart."""
    import keras

    keras.utils.set_random_seed(0)
    path = _folder() / f"{architecture}.weights.h5"
    network = getattr(keras.applications, architecture)(weights=None, **options)
    last = network.layers[-1]
    pictures = np.random.default_rng(0).uniform(0, 255, (4, 1, 1, 3)) * np.ones((4, 224, 224, 3))
    prepared = getattr(keras.applications, architecture.lower().replace("v2", "_v2")).preprocess_input(pictures)
    seen = keras.Model(network.inputs[0], network.layers[-2].output)(prepared)
    scores = np.asarray(seen) @ np.asarray(last.kernel)
    last.kernel.assign(last.kernel / scores.std(axis=0).mean())
    last.bias.assign(-scores.mean(axis=0) / scores.std(axis=0).mean())
    network.save_weights(path)
    return {"weights": str(path), **options}


@cache
def writer(reads: int = 1_024) -> Path:
    """The folder of a BART that reads so many tokens, with a token for each word of the example of `summary`. Its
    weights are at random, wide enough that different texts make it write differently.
    """
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import BartConfig, BartForConditionalGeneration, PreTrainedTokenizerFast

    from nlp.ml.summary import SUMMARY

    kept = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    words: Any = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.pre_tokenizer = pre_tokenizers.Whitespace()
    words.train_from_iterator([SUMMARY.example.text], trainers.WordLevelTrainer(special_tokens=list(kept.values())))
    words.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    sizes = {"d_model": 16, "encoder_layers": 1, "decoder_layers": 1, "encoder_ffn_dim": 32, "decoder_ffn_dim": 32}
    heads = {"encoder_attention_heads": 2, "decoder_attention_heads": 2, "max_position_embeddings": reads}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        numbers = {"bos_token_id": 0, "pad_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 2}
        config = BartConfig(vocab_size=words.get_vocab_size(), init_std=1.0, **sizes, **heads, **numbers)
        network = BartForConditionalGeneration(config)
    folder = _folder() / f"writer{reads}"
    network.save_pretrained(folder)
    PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=reads, **kept).save_pretrained(folder)
    return folder


@cache
def judge(*labels: str) -> Path:
    """A folder as transformers writes it, of a BERT that judges texts at random."""
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    named = labels or ("negative", "neutral", "positive")
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *ascii_lowercase, *(f"##{one}" for one in ascii_lowercase)]
    with torch.random.fork_rng():
        torch.manual_seed(0)
        config = BertConfig(
            vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
            max_position_embeddings=64, id2label=dict(enumerate(named)), initializer_range=1.0,
            label2id={one: number for number, one in enumerate(named)},
        )  # fmt: skip
        network = BertForSequenceClassification(config)
    folder = _folder() / f"judge {' '.join(labels)}"
    network.save_pretrained(folder)
    fast = BertWordPieceTokenizer(vocab={word: number for number, word in enumerate(words)}, lowercase=True)
    BertTokenizerFast(tokenizer_object=fast._tokenizer, model_max_length=64).save_pretrained(folder)
    return folder


NAMER = {
    "maria": "B-PER", "lo": "I-PER", "peter": "B-PER", "zara": "B-ORG", "new": "B-LOC", "york": "I-LOC",
    "berlin": "B-LOC",
}  # fmt: skip


@cache
def namer() -> Path:
    """A folder as transformers writes it, of a BERT that knows NAMER by heart: the vector of each token is its own, the
    layer between passes it on, and the head reads a label from it. `lo` goes on in `##pez`, which alone is a place.
    """
    import torch
    from tokenizers import BertWordPieceTokenizer
    from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

    labels = ["O", "B-PER", "I-PER", "B-ORG", "B-LOC", "I-LOC"]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *NAMER, "##pez", "in", "for", "and", "it", ".", ","]
    size = 32
    config = BertConfig(
        vocab_size=len(words), hidden_size=size, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8,
        max_position_embeddings=64, id2label=dict(enumerate(labels)), label2id={one: n for n, one in enumerate(labels)},
    )  # fmt: skip
    network = BertForTokenClassification(config)
    with torch.no_grad():
        for name, parameter in network.named_parameters():
            if "LayerNorm.weight" not in name:
                parameter.zero_()
        network.bert.embeddings.word_embeddings.weight.copy_(torch.eye(size)[: len(words)])
        for number, word in enumerate(words):
            label = NAMER.get(word, "B-LOC" if word == "##pez" else "O")
            network.classifier.weight[labels.index(label), number] = 1.0
    folder = _folder() / "namer"
    network.save_pretrained(folder)
    fast = BertWordPieceTokenizer(vocab={word: number for number, word in enumerate(words)}, lowercase=True)
    BertTokenizerFast(tokenizer_object=fast._tokenizer, model_max_length=64).save_pretrained(folder)
    return folder
