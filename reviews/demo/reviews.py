"""3,000 of the ratings get a review. Who feels strongly writes sooner; some customers write often, most seldom."""

from collections.abc import Mapping
from random import Random

from .records import Customer, Product, Rating, Review
from .wares import categories, words
from .writer import Writer

COUNT = 3_000


def stars_of(value: float) -> int:
    """A rating in halves as whole stars, 1 to 5, rounded half up."""
    return max(1, int(value + 0.5))


def _rough(text: str, rng: Random) -> str:
    """As typed on a phone: lower case, no apostrophes, letters swapped here and there, exclamation marks in a row."""
    text = (
        text.replace("I am ", "im ")
        .replace("do not ", "dont ")
        .replace("cannot ", "cant ")
        .replace(" is not ", " isnt ")
    )
    text = text.lower() if rng.random() < 0.6 else text
    if rng.random() < 0.4:
        text = text.rstrip(".") + rng.choice(("!!", "!!!", "..."))
    parts = text.split(" ")
    for _ in range(rng.randint(0, 2)):
        place = rng.randrange(len(parts))
        word = parts[place]
        if len(word) > 4 and word.isalpha():
            cut = rng.randrange(1, len(word) - 2)
            parts[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
    return " ".join(parts)


def _dressed(text: str, stars: int, voice: str, rng: Random) -> str:
    """The text with a customer's manners: roughness, contractions, now and then an emoji."""
    if voice == "sloppy":
        text = _rough(text, rng)
    elif rng.random() < 0.35:
        text = _contracted(text)
    if rng.random() < (0.3 if voice == "sloppy" else 0.04):
        mood = "emoji_good" if stars > 3 else "emoji_mixed" if stars == 3 else "emoji_bad"
        text += " " + rng.choice(words("grammar")["any"][mood])
    return text


def _contracted(text: str) -> str:
    pairs = (("do not ", "don't "), ("does not ", "doesn't "), ("did not ", "didn't "), ("is not ", "isn't "))
    more = (("are not ", "aren't "), ("cannot ", "can't "), ("would not ", "wouldn't "), ("could not ", "couldn't "))
    for whole, short in (*pairs, *more, ("I have had", "I've had"), ("I have never", "I've never"), ("I am ", "I'm ")):
        text = text.replace(whole, short)
    return text


def reviews_make(
    seed: int,
    customers: tuple[Customer, ...],
    products: tuple[Product, ...],
    ratings: tuple[Rating, ...],
) -> tuple[Review, ...]:
    """All reviews, oldest first, no two with the same text; each has the time of the rating it goes with."""
    rng = Random(f"reviews {seed}")
    people = {customer.username: customer for customer in customers}
    goods = {product.external_id: product for product in products}
    by_name = {category.name: category for category in categories()}
    keen = {customer.username: rng.lognormvariate(0, 0.8) for customer in customers}
    chosen = sorted(_ranked(ratings, keen, rng)[:COUNT])
    reviews = []
    seen: set[str] = set()
    for place in chosen:
        rating = ratings[place]
        product, customer = goods[rating.product], people[rating.customer]
        stars = stars_of(rating.value)
        text = ""
        while not text or text in seen:
            writer = Writer(product=product, category=by_name[product.category], voice=customer.voice, rng=rng)
            title, text = writer.write(stars)
            text = _dressed(text, stars, customer.voice, rng)
        seen.add(text)
        reviews.append(
            Review(
                customer=rating.customer,
                product=rating.product,
                title=title,
                text=text,
                rating=stars,
                created=rating.created,
            )
        )
    return tuple(reviews)


def _ranked(ratings: tuple[Rating, ...], keen: Mapping[str, float], rng: Random) -> list[int]:
    """Places of all ratings, the likeliest to be written about first (a draw without return by exponential keys)."""
    urge = [keen[rating.customer] * (1 + 0.35 * abs(rating.value - 3.5)) for rating in ratings]
    keys = [rng.expovariate(1.0) / weight for weight in urge]
    return sorted(range(len(ratings)), key=keys.__getitem__)
