"""Ready-made maps: MovieLens (GroupLens: movies.csv, ratings.csv), Women's E-Commerce Clothing Reviews (Kaggle)."""

from reviews.importing.mapping import Rule, Rules

NO_GENRE = "(no genres listed)"


def _genres(listed: str) -> list[str]:
    return [genre for genre in listed.split("|") if genre and genre != NO_GENRE]


def _first_genre(listed: str) -> str:
    return next(iter(_genres(listed)), "")


def _genre_words(listed: str) -> str:
    return ", ".join(_genres(listed))


def _garment(department: str, kind: str, number: str) -> str:
    """`Bottoms / Pants 1049`; once where both are the same; some garments have neither."""
    words = dict.fromkeys(filter(None, (department.strip(), kind.strip())))
    return f"{' / '.join(words) or 'Garment'} {number.strip()}"


GARMENT = {"name": Rule(("Department Name", "Class Name", "Clothing ID"), _garment), "category": Rule(("Class Name",))}

PRESETS: dict[str, dict[str, Rules]] = {
    "movielens": {
        "products": {
            "external_id": Rule(("movieId",)),
            "name": Rule(("title",)),
            "category": Rule(("genres",), _first_genre),
            "description": Rule(("genres",), _genre_words),
        },
        "ratings": {
            "user": Rule(("userId",)),
            "product": Rule(("movieId",)),
            "value": Rule(("rating",)),
            "rated_at": Rule(("timestamp",)),
        },
    },
    "clothing": {
        "products": {"external_id": Rule(("Clothing ID",)), **GARMENT},
        "reviews": {
            "external_id": Rule(("",)),
            "product": Rule(("Clothing ID",)),
            "title": Rule(("Title",)),
            "text": Rule(("Review Text",)),
            "rating": Rule(("Rating",)),
            **{f"product.{name}": rule for name, rule in GARMENT.items()},
        },
    },
}
