"""Several small networks learned together, in Keras.

All are in one graph, each with weights of its own. A row says for each member whether it is learned from, so that every
row is left out by some. A member tells the centre of what may come and the scale of it: the loss is the negative
logarithm of Student's t, under which an odd row pulls less the further off it is (Lange, Little and Taylor, "Robust
Statistical Modeling Using the t Distribution", 1989). The step falls to nothing along a cosine, and the weights are
those of the epoch that did best on the validation part.
"""

import math
from typing import Any

import numpy as np

from experiments.errors import Invalid
from experiments.exporting import assert_same
from experiments.mltask import Progress
from pricing.ml.lessons import Lessons
from pricing.ml.members import Members

PLACE_SIZE, WIDTHS = 8, (32, 32)
BATCH, LEAST_BATCH, STEPS = 256, 16, 50  # rows a step; fewer where an epoch would have fewer steps than these
FREEDOM = 5.0  # of Student's t
NARROWEST, WIDEST = -6.0, 3.0  # logarithm of a scale, in scales of the target
PATIENCE = 8  # epochs without a better one
SAME = 1e-5


def learned(lessons: Lessons, *, epochs: int, rate: float, seed: int, progress: Progress) -> tuple[Members, np.ndarray]:
    """The members, and what each says of every lesson: (rows, members, 2). `rate` is the first step of Adam, `epochs`
    are the most. Raises DomainError where numpy does not answer as Keras does.
    """
    if epochs < 1 or not rate > 0:
        raise Invalid("param", "epochs must be 1 or more, rate over 0.")
    import keras

    keras.utils.set_random_seed(seed)
    network = _network(lessons)
    _fit(network, lessons, epochs, rate, np.random.default_rng(seed), progress)
    embedding, *layers = network.get_weights()
    members = Members(embedding.reshape(len(embedding), lessons.members, -1), tuple(layers[::2]), tuple(layers[1::2]))
    ours = members.answers(lessons.numbers, lessons.places)
    assert_same(ours, _said(network, lessons).mean(axis=1), "The network as stored differs from Keras", SAME)
    return members, members.each(lessons.numbers, lessons.places)


def _fit(
    network: Any, lessons: Lessons, epochs: int, rate: float, draw: np.random.Generator, progress: Progress
) -> None:
    """Leaves the weights of the best epoch in the network."""
    import keras
    import tensorflow as tf

    inputs = [tf.constant(one) for one in _inputs(lessons)]
    truth = tf.constant(np.column_stack([lessons.truth, ~lessons.left_out]), tf.float32)
    chosen, watched = np.flatnonzero(~lessons.validation), np.flatnonzero(lessons.validation)
    batch = int(np.clip(len(chosen) // STEPS, LEAST_BATCH, BATCH))
    steps = max(1, len(chosen) // batch)
    adam = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(rate, epochs * steps))
    adam.build(network.trainable_variables)

    def step(rows: Any) -> None:
        with tf.GradientTape() as tape:
            loss = _loss(tf.gather(truth, rows), network([tf.gather(one, rows) for one in inputs], training=True))
        adam.apply(tape.gradient(loss, network.trainable_variables))

    def look() -> Any:
        return _loss(asked, network([tf.gather(one, watched) for one in inputs]))

    take = tf.function(step, input_signature=[tf.TensorSpec([None], tf.int64)], autograph=False)
    validate = tf.function(look, input_signature=[], autograph=False)
    asked = np.column_stack([lessons.truth[watched], np.ones((len(watched), lessons.members))]).astype(np.float32)
    best, kept, waited = math.inf, network.get_weights(), 0
    for epoch in range(epochs):
        progress(epoch, epochs, "learning")
        for rows in draw.permutation(chosen)[: steps * batch].reshape(steps, -1):
            take(tf.constant(rows))
        found = float(validate())
        waited += 1
        if found < best:
            best, kept, waited = found, network.get_weights(), 0
        if waited == PATIENCE:
            break
    network.set_weights(kept)


def _inputs(lessons: Lessons) -> list[np.ndarray]:
    return [lessons.numbers.astype(np.float32), lessons.places[:, None].astype(np.int32)]


def _said(network: Any, lessons: Lessons) -> np.ndarray:
    """Of each lesson by each member: (rows, members, 2)."""
    found: np.ndarray = network(_inputs(lessons)).numpy().reshape(-1, lessons.members, 2)
    return found


def _network(lessons: Lessons) -> Any:
    """Numbers (rows, columns) and place (rows, 1) to members * 2 outputs."""
    import keras
    from keras import layers

    members, inputs = lessons.members, lessons.numbers.shape[1] + PLACE_SIZE
    numbers, place = keras.Input((lessons.numbers.shape[1],)), keras.Input((1,), dtype="int32")
    spread = keras.initializers.RandomNormal(stddev=0.05)
    embedded = layers.Embedding(lessons.place_count, members * PLACE_SIZE, embeddings_initializer=spread)(place)
    beside = [layers.RepeatVector(members)(numbers), layers.Reshape((members, PLACE_SIZE))(embedded)]
    hidden = layers.Concatenate()(beside)
    for width, activation, gain in [*((width, "relu", math.sqrt(2)) for width in WIDTHS), (2, None, 0.1)]:
        spread = keras.initializers.RandomNormal(stddev=gain / math.sqrt(inputs))
        hidden = layers.EinsumDense(
            "nki,kio->nko", output_shape=(members, width), bias_axes="ko", activation=activation,
            kernel_initializer=spread,
        )(hidden)  # fmt: skip
        inputs = width
    return keras.Model([numbers, place], layers.Flatten()(hidden))


def _loss(truth: Any, answers: Any) -> Any:
    """`truth` is what is right and, for each member, whether it learns it: (rows, 1 + members). A mean of them all."""
    from keras import ops

    learns = truth[:, 1:]
    said = ops.reshape(answers, (-1, learns.shape[1], 2))
    scale = ops.clip(said[:, :, 1], NARROWEST, WIDEST)
    off = (truth[:, :1] - said[:, :, 0]) * ops.exp(-scale)
    unlikely = (FREEDOM + 1) / 2 * ops.log1p(ops.square(off) / FREEDOM) + scale
    return ops.mean(learns * unlikely)
