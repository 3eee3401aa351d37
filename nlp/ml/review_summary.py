"""The task `review_summary`: what the reviews of one product agree on, where they differ, and what they speak of, each
with the reviews that it rests on. The log keeps the digests of what people wrote, not their words: who erases a review
erases it whole.
"""

from dataclasses import dataclass
from typing import Annotated

from experiments.mltask import Digested, Examples, Items, MLTask, Number, Text

MOST_SAID = 6_000  # sentences of the reviews of one product
FEWEST = 3  # reviews


@dataclass(frozen=True)
class Said:
    """A sentence of a review. `positive` is what the sentiment model says of it, `content` whether the writer of the
    whole review is content: by the stars, or without stars by what the model says of all the text.
    """

    review: int
    text: Annotated[str, Text(max_length=2_000, min_length=1), Digested()]
    positive: Annotated[float, Number(ge=0, le=1)]
    content: bool


@dataclass(frozen=True)
class ReviewSummaryInput:
    """`about` is what the product is called, which is nothing that reviews speak of besides."""

    said: Annotated[tuple[Said, ...], Items(max_length=MOST_SAID)]
    about: Annotated[str, Text(max_length=500)] = ""


@dataclass(frozen=True)
class Point:
    """A sentence as one of the reviews has it. Those in `review_ids` say much the same; its own comes first."""

    text: Annotated[str, Digested()]
    review_ids: tuple[int, ...]
    positive: bool


@dataclass(frozen=True)
class Quote:
    text: Annotated[str, Digested()]
    review_id: int


@dataclass(frozen=True)
class Aspect:
    """Something that reviews speak of, and how many speak well or badly of it."""

    name: str
    positive: int
    negative: int
    quotes: tuple[Quote, ...]


@dataclass(frozen=True)
class ReviewSummaryOutput:
    summary: Annotated[str, Digested()]
    sentences: tuple[Point, ...]
    aspects: tuple[Aspect, ...]


def _example() -> tuple[Said, ...]:
    good = ["The fabric is soft and warm.", "The fabric feels very soft.", "Lovely soft fabric, and the fit is right."]
    bad = ["The zipper broke after a week.", "The zipper is stuck all the time."]
    return (
        *(Said(number, text, 0.95, True) for number, text in enumerate(good, 1)),
        *(Said(number, text, 0.05, False) for number, text in enumerate(bad, 4)),
    )


def tiny() -> Examples:
    """Columns unit (the product) and said (a tuple of Said)."""
    import pandas as pd

    return Examples(pd.DataFrame({"unit": [1, 2], "said": [_example(), _example()[:3]]}))


REVIEW_SUMMARY = MLTask(
    name="review_summary",
    input=ReviewSummaryInput,
    output=ReviewSummaryOutput,
    example=ReviewSummaryInput(_example()),
    tiny=tiny,
    metric="agreement",
    public=False,  # reviews/views.py shows what a job made
    jobs_only=True,
    pretrained=True,
)
