"""Everything that writes the shop's own records. Each rests on one transaction."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from experiments import serving
from experiments.assignment import Person
from experiments.errors import Invalid, ModelFailed, NotFound, Unavailable
from experiments.outcomes import outcome_record
from experiments.prediction_log import prediction_get
from experiments.uuid7 import uuid7_floor
from nlp.ml.review_summary import FEWEST, MOST_SAID, REVIEW_SUMMARY, Point, ReviewSummaryInput, Said
from nlp.ml.sentences import sentences_of
from nlp.ml.sentiment import SENTIMENT, SentimentInput, SentimentOutput
from reviews.errors import AlreadyReviewed, ReviewFailed
from reviews.models import Event, Product, Rating, Review, ReviewSummary
from reviews.selectors import unanalysed
from reviews.tasks import analyse_reviews
from reviews.trend import EVENT_WEIGHTS, LIKED_ABOVE, trend_add

Analysis = serving.Answer[SentimentOutput]
MOST_SUMMARISED = 2_000  # reviews of a product, the newest
LONGEST = 2_000  # characters of a sentence
UNSEEN = timedelta(minutes=1)  # a review may be analysed so long before it can be read


def product_create(*, values: Mapping[str, Any]) -> Product:
    return Product.objects.create(**values)


def product_update(*, product: Product, changes: Mapping[str, Any]) -> Product:
    """Change some fields and no others: what customers do with the product is counted at the same time. A replaced
    picture is deleted.
    """
    with transaction.atomic():
        product = Product.objects.select_for_update(no_key=True).filter(pk=product.pk).first() or _gone(product)
        old = product.image.name
        for name, value in changes.items():
            setattr(product, name, value)
        product.save(update_fields=changes.keys())
        if product.image.name != old:
            _picture_delete(product, old)
    return product


def product_delete(*, product: Product) -> None:
    """Delete the product with its reviews, ratings, events and picture."""
    with transaction.atomic():
        _picture_delete(product, product.image.name)
        product.delete()


def _picture_delete(product: Product, name: str | None) -> None:
    if name:
        transaction.on_commit(lambda: product.image.storage.delete(name), robust=True)


def review_create(
    *, author: Any, product: Product, text: str, title: str = "", rating: float | None = None
) -> tuple[Review, Analysis | None]:
    """Save a review, its stars as the author's rating, and what the model says: all together or not at all.

    Where no model can answer the review is saved without analysis and the worker analyses it later; the second part is
    then None. Raises AlreadyReviewed, with the first review's id, when the author has reviewed the product before.
    """
    try:
        with transaction.atomic():
            review = Review(author=author, product=product, title=title, text=text, rating=rating)
            analysis = review_analyse(review=review, author=author)
            review.save(force_insert=True)
            if rating is not None:
                rating_set(user=author, product=product, value=rating)
            outcome_record(
                kind="review",
                subject=f"product:{product.pk}",
                value=review.stated_sentiment or "unknown",
                user_id=author.pk,
                prediction_id=review.prediction_id,
            )
    except IntegrityError:
        first = Review.objects.filter(author_id=author.pk, product_id=product.pk).first()
        if first:
            raise AlreadyReviewed(
                "You have reviewed this product already.", review=f"/api/v1/reviews/{first.pk}/"
            ) from None
        _assert_there(product)
        raise
    return review, analysis


def review_update(*, review: Review, changes: Mapping[str, Any]) -> Review:
    """Change title, text or rating of a review; new words are analysed again, new stars are the author's rating."""
    with transaction.atomic():
        review = _locked(review)
        for name, value in changes.items():
            setattr(review, name, value)
        if {"title", "text"} & changes.keys():
            review_analyse(review=review, author=review.author)
            ReviewSummary.objects.filter(product_id=review.product_id).delete()  # it may quote the old words
        review.save()
        if review.author and changes.get("rating") is not None:
            rating_set(user=review.author, product=review.product, value=changes["rating"])
    return review


def _locked(review: Review) -> Review:
    rows = Review.objects.select_related("author").select_for_update(of=("self",))
    return rows.filter(pk=review.pk).first() or _gone(review)


def review_analyse(*, review: Review, author: Any) -> Analysis | None:
    """Put the live model's answer, or that of the author's variant, on the (unsaved) review; without one leave it for
    the worker.
    """
    given = [SentimentInput(review.text, review.title)]
    tested = Person.of(author) if author else None
    try:
        [answer] = serving.predict(SENTIMENT, given, user_id=author and author.pk, tested=tested)
    except Unavailable:
        review.sentiment, review.sentiment_score, review.model_version, review.prediction_id = "", None, None, None
        transaction.on_commit(lambda: analyse_reviews.enqueue(), robust=True)  # the sweep finds it without
        return None
    _put(review, answer)
    return answer


def reviews_analyse_next(*, after: int, limit: int, but: int | None = None) -> tuple[int, int]:
    """Analyse up to `limit` reviews with an id over `after`, in one call of the model and one transaction: those
    without sentiment, or where `but` names a version of it, those that another one analysed too.

    Gives the last id it saw (`after` when there is none left) and how many. Rows that another worker or an edit holds
    are skipped. Raises Unavailable where no model answers, and ReviewFailed where it fails on one of them; the failure
    is in the log then.
    """
    failed = False
    with transaction.atomic():
        waiting = Review.objects.filter(unanalysed(but), id__gt=after)
        reviews = list(waiting.order_by("id").select_for_update(skip_locked=True)[:limit])
        if not reviews:
            return after, 0
        inputs = [SentimentInput(review.text, review.title) for review in reviews]
        authors = [review.author_id for review in reviews]
        try:
            answers = serving.predict(SENTIMENT, inputs, user_id=authors, method="worker")
        except ModelFailed:
            answers, failed = [], True  # committed with the log of the failure, then said
        for review, answer in zip(reviews, answers, strict=not failed):
            _put(review, answer)
        Review.objects.bulk_update(reviews, ["sentiment", "sentiment_score", "model_version", "prediction_id"])
    if failed:
        raise ReviewFailed(reviews[-1].pk)
    return reviews[-1].pk, len(reviews)


def _put(review: Review, answer: Analysis) -> None:
    review.sentiment = answer.output.sentiment
    review.sentiment_score = answer.output.scores.positive
    review.model_version = answer.version
    review.prediction_id = answer.prediction_id


def rating_set(*, user: Any, product: Product, value: float) -> tuple[Rating, bool]:
    """The user's one rating of the product, replaced when there is one; the second part says whether it is new."""
    now = timezone.now()
    try:
        with transaction.atomic():
            rating, created = Rating.objects.update_or_create(
                user=user, product=product, defaults={"value": value, "rated_at": now}
            )
            if created:
                trend_add(product_id=product.pk, weight=value - LIKED_ABOVE, at=now)
            outcome_record(kind="rating", subject=f"product:{product.pk}", value=value, user_id=user.pk)
    except IntegrityError:
        _assert_there(product)
        raise
    return rating, created


def event_record(*, user: Any, product: Product, kind: str, prediction_id: UUID | None = None) -> Event:
    """Something the user did with a product; `prediction_id` names the answer that led there, one of the user's own.

    The outcome of a purchase is worth what the product costs now.
    """
    if prediction_id:
        try:
            prediction_get(prediction_id=prediction_id, user=user)
        except NotFound as error:
            raise Invalid("prediction_id", error.detail, "does_not_exist") from None
    try:
        with transaction.atomic():
            event = Event.objects.create(user=user, product=product, kind=kind, prediction_id=prediction_id)
            trend_add(product_id=product.pk, weight=EVENT_WEIGHTS[kind], at=event.created_at, views=int(kind == "view"))
            worth = float(product.price or 0) if kind == Event.Kind.PURCHASE else 1
            outcome_record(
                kind=kind, subject=f"product:{product.pk}", value=worth, user_id=user.pk, prediction_id=prediction_id
            )
    except IntegrityError:
        _assert_there(product)
        raise
    return event


def _assert_there(product: Product) -> None:
    """Turns the error of a write about a product that was deleted meanwhile into NotFound."""
    if not Product.objects.filter(pk=product.pk).exists():
        _gone(product)


def _gone(row: Product | Review) -> Any:
    raise NotFound(f"There is no {row._meta.verbose_name} {row.pk}.")


def summary_make(*, product_id: int) -> ReviewSummary | None:
    """Summarise what is known of the product's reviews; None where too few are analysed. Raises Unavailable where no
    model answers, Closed, and ModelFailed, which is in the log then.
    """
    read_from = uuid7_floor(timezone.now() - UNSEEN)
    rows = Review.objects.filter(product_id=product_id).exclude(sentiment="").select_related("product")
    reviews = list(rows.only("text", "rating", "sentiment", "product__name", "product__category")[:MOST_SUMMARISED])
    if len(reviews) < FEWEST:
        return None
    said = [(review, one.text) for review in reviews for one in sentences_of(review.text) if len(one.text) <= LONGEST]
    if not said:
        return None
    said = said[:MOST_SAID]
    moods = serving.live(SENTIMENT.name).predict([SentimentInput(text) for _, text in said])
    given = ReviewSummaryInput(
        tuple(
            Said(review.pk, text, mood.scores.positive, _content(review))
            for (review, text), mood in zip(said, moods, strict=True)
        ),
        about=f"{reviews[0].product.name}, {reviews[0].product.category}",
    )
    [answer] = serving.predict(REVIEW_SUMMARY, [given], user_id=None, method="worker")
    found, up = answer.output, sum(map(_content, reviews))
    summary = ReviewSummary(
        product_id=product_id, summary=found.summary, sentences=[_cited(one) for one in found.sentences],
        aspects=[asdict(one) for one in found.aspects], review_count=len(reviews), positive=up,
        negative=len(reviews) - up, model=answer.model, version=answer.version or 0,
        prediction_id=answer.prediction_id, read_from=read_from,
    )  # fmt: skip
    with transaction.atomic():
        ids = {review.pk for review in reviews}
        there = Review.objects.filter(pk__in=ids).select_for_update(no_key=True).values_list("pk", flat=True)
        if set(there) != ids:  # one was deleted meanwhile: its words must not come back; the sweep makes it anew
            return None
        facts = [field.name for field in ReviewSummary._meta.concrete_fields if not field.primary_key]
        ReviewSummary.objects.bulk_create(
            [summary], update_conflicts=True, unique_fields=["product"], update_fields=facts
        )
    return summary


def _content(review: Review) -> bool:
    """By the writer's stars, or without them by what the model says of the text."""
    return (review.stated_sentiment or review.sentiment) == Review.Sentiment.POSITIVE


def _cited(point: Point) -> dict[str, Any]:
    return {"text": point.text, "review_ids": list(point.review_ids), "positive": point.positive}
