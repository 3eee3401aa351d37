"""Predicted stars: what each part of a prediction says, worked out by hand, and how well they do on real ratings."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from django.conf import settings

from recommendations.ml import stars as module
from recommendations.ml.sequences import Floats, Ints
from recommendations.ml.stars import Ratings, StarsModel

DATA = Path(os.environ.get("SHOP_DATA", settings.BASE_DIR.parent / "shared" / "data")) / "ratings" / "ratings.csv"
NOBODY = np.empty(0, np.int64)


def fitted(rows: list[tuple[int, int, float]], item_count: int) -> StarsModel:
    """Of rows of user, item, stars, a user's in ascending order of time."""
    users, items, stars = (np.array([row[place] for row in rows]) for place in range(3))
    return StarsModel().fit(users.astype(int), items.astype(int), stars.astype(float), item_count=item_count)


def said(model: StarsModel, history: list[tuple[int, float]], *targets: int) -> list[float]:
    """From a history of item, stars with the newest rating first."""
    items = np.array([item for item, _ in history], np.int64)
    return model.predict(items, np.array([one for _, one in history], float), np.array(targets, np.int64)).tolist()


def indifferent() -> StarsModel:
    """Four customers gave three stars to both products: no product stands out, no customer and no neighbour."""
    return fitted([(user, item, 3.0) for user in range(4) for item in range(2)], 2)


def two_tastes(count: int = 200, item_count: int = 20, seed: int = 0) -> tuple[Ints, Ints, Floats]:
    """Half of the customers love the even products and dislike the odd ones, the others the other way round."""
    rng = np.random.default_rng(seed)
    users, rated = np.repeat(np.arange(count), 10), [rng.permutation(item_count)[:10] for _ in range(count)]
    items = np.concatenate(rated)
    return users, items, np.where((users + items) % 2, 4.5, 2.0) + rng.choice([-0.5, 0.0, 0.5], len(users))


def test_without_a_history_a_product_gets_the_mean_and_its_shrunk_bias() -> None:
    # Mean 4. Product 0 was given 5 twice, so with bias b each of its customers is generous by (1 - b) / (1 + 5), and
    # b = 2 * (1 - (1 - b) / 6) / (2 + 3), which is 5 / 14. Both products are equally well known.
    model = fitted([(0, 0, 5.0), (1, 0, 5.0), (2, 1, 3.0), (3, 1, 3.0)], 2)
    assert said(model, [], 0, 1) == pytest.approx([4 + 5 / 14, 4 - 5 / 14])


def test_one_rating_moves_the_offset_by_a_quarter() -> None:
    # Two stars above the mean of 3, beside three ratings at it.
    assert said(indifferent(), [(0, 5.0)], 1) == pytest.approx([3 + 2 / (1 + 3)])


def test_two_ratings_weigh_as_their_age_says() -> None:
    model = indifferent()
    model.half_life = 1.0  # the older counts half
    assert said(model, [(0, 5.0), (1, 1.0)], 1) == pytest.approx([3 + (2 - 0.5 * 2) / (1 + 0.5 + 3)])


def test_the_newest_rating_counts_most() -> None:
    up, down = (said(indifferent(), history, 0)[0] for history in ([(0, 5.0), (1, 1.0)], [(0, 1.0), (1, 5.0)]))
    assert up > 3 > down and up + down == pytest.approx(6)


def test_customers_with_a_taste_get_the_stars_of_that_taste() -> None:
    model = StarsModel().fit(*two_tastes(), item_count=20)
    even, odd = said(model, [(0, 2.0), (1, 4.5), (2, 2.0), (3, 4.5)], 10, 11)
    assert even < 2.75 and odd > 3.75


def test_who_likes_the_well_known_gets_fewer_stars_for_the_obscure() -> None:
    rng = np.random.default_rng(1)
    shares = 1 / np.arange(1, 41)
    rows = []
    for user in range(300):
        slope = 1.0 if user % 2 else -1.0  # half of the customers like what is well known, half what is not
        items = rng.choice(40, 12, replace=False, p=shares / shares.sum()).tolist()
        rows += [(user, item, float(np.clip(3 + slope * (1.2 - 0.1 * item), 0.5, 5))) for item in items]
    model = fitted(rows, 40)
    mainstream = [(item, min(5.0, 4.2 - 0.1 * item)) for item in (0, 2, 30, 5, 25, 1, 20)]
    contrary = [(item, 6 - value) for item, value in mainstream]
    famous, obscure = said(model, mainstream, 3, 35)
    assert famous > obscure + 1
    famous, obscure = said(model, contrary, 3, 35)
    assert obscure > famous + 1


def test_ratings_fade_faster_where_customers_change() -> None:
    rng = np.random.default_rng(2)
    users, items = np.repeat(np.arange(100), 100), rng.integers(0, 30, 10_000)
    steady = np.repeat(rng.normal(0, 1, 100), 100)
    changing = rng.normal(0, 0.3, (100, 100)).cumsum(axis=1).ravel()
    noise = rng.normal(0, 0.5, 10_000)
    slow, fast = (
        StarsModel().fit(users, items, np.clip(3 + course + noise, 0.5, 5), item_count=30)
        for course in (steady, changing)
    )
    assert slow.half_life >= 100 and fast.half_life <= 25
    history = [(item, 4.5 if item < 8 else 1.5) for item in range(30)]
    assert said(fast, history, 0)[0] > said(slow, history, 0)[0] + 0.5


def test_a_fifth_of_the_ratings_of_those_who_gave_five_is_kept_back() -> None:
    counts = [4, 5, 9, 10, 11]
    ratings = Ratings.of(np.repeat(np.arange(5), counts), np.zeros(39, int), np.ones(39))
    assert StarsModel()._kept_back(ratings).tolist() == [0, 1, 2, 2, 3]
    assert np.count_nonzero(StarsModel(most_users=2)._kept_back(ratings)) == 2


def test_ratings_stand_by_customer_and_newest_first() -> None:
    ratings = Ratings.of(np.array([7, 2, 7, 2, 7]), np.array([0, 1, 2, 3, 4]), np.array([1.0, 2.0, 3.0, 4.0, 5.0]))
    assert [(items.tolist(), stars.tolist()) for items, stars in ratings] == [([3, 1], [4, 2]), ([4, 2, 0], [5, 3, 1])]
    assert ratings.age().tolist() == [0, 1, 0, 1, 2]
    older = ratings.only(ratings.age() > 0)
    assert [items.tolist() for items, _ in older] == [[1], [2, 0]]


def test_customers_may_be_mixed_in_training() -> None:
    users, items, stars = two_tastes()
    by_turns = np.argsort(np.tile(np.arange(10), 200), kind="stable")
    one = StarsModel().fit(users, items, stars, item_count=20)
    other = StarsModel().fit(users[by_turns], items[by_turns], stars[by_turns], item_count=20)
    history = [(0, 5.0), (1, 1.0)]
    assert said(one, history, *range(20)) == said(other, history, *range(20))


def test_neighbours_are_the_same_in_blocks_of_any_size(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = StarsModel(neighbours=4).fit(*two_tastes(), item_count=20)
    monkeypatch.setattr(module, "BLOCK", 50)
    parts = StarsModel(neighbours=4).fit(*two_tastes(), item_count=20)
    assert whole.near.indices.tolist() == parts.near.indices.tolist()
    assert np.diff(whole.near.indptr).tolist() == [4] * 20 + [0]  # the last stands for unknown products
    item = np.repeat(np.arange(21), np.diff(whole.near.indptr))
    assert (item != whole.near.indices).all() and (item % 2 == whole.near.indices % 2).all()


def test_of_those_who_rated_most_the_newest_ratings_say_what_is_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAIRS", 200 * 5**2)  # five ratings of each customer instead of ten
    model = StarsModel().fit(*two_tastes(), item_count=20)
    even, odd = said(model, [(0, 2.0), (1, 4.5), (2, 2.0), (3, 4.5)], 10, 11)
    assert odd > even + 1


def test_unknown_products_still_say_how_generous_a_customer_is() -> None:
    model = StarsModel().fit(*two_tastes(), item_count=20)
    generous, plain, strict = (said(model, history, 4, -1) for history in ([(-1, 5.0)], [], [(-1, 1.0)]))
    assert generous[0] > plain[0] > strict[0]
    assert generous[1] > plain[1] > strict[1]


def test_of_two_ratings_of_one_product_the_newer_speaks_for_its_neighbours() -> None:
    model = StarsModel().fit(*two_tastes(), item_count=20)
    model.weights = np.array([0.0, 0.0, 1.0])  # the neighbourhood alone
    like, dislike = (said(model, history, 2)[0] for history in ([(0, 5.0), (0, 1.0)], [(0, 1.0), (0, 5.0)]))
    assert like > model.mean > dislike


def test_stars_stay_between_a_half_and_five() -> None:
    model = StarsModel().fit(*two_tastes(), item_count=20)
    model.weights *= 10
    assert said(model, [(0, 5.0), (1, 0.5)] * 20, 2, 3) == [5.0, 0.5]


def test_no_targets_get_no_stars() -> None:
    assert said(indifferent(), [(0, 4.0)]) == []


@pytest.mark.parametrize(
    ("rows", "item_count", "mean"),
    [
        ([], 0, 3.5),
        ([], 3, 3.5),
        ([(0, 0, 4.0)], 1, 4.0),
        ([(0, 0, 4.0), (1, 2, 4.0)], 3, 4.0),
        ([(user, item, 2.0) for user in range(3) for item in range(8)], 8, 2.0),
        ([(0, 0, 4.0)] * 7, 1, 4.0),
    ],
    ids=["nothing", "no rating", "one rating", "two customers", "all equal", "one product again and again"],
)
def test_little_to_learn_from_gives_the_mean(
    rows: list[tuple[int, int, float]], item_count: int, mean: float, tmp_path: Path
) -> None:
    model = fitted(rows, item_count)
    assert said(model, [], -1, *range(item_count)) == pytest.approx([mean] * (item_count + 1))
    assert np.isfinite(said(model, [(-1, 5.0), (item_count - 1, 1.0)], -1, item_count - 1)).all()
    model.save(tmp_path)
    assert said(StarsModel.load(tmp_path), [], -1) == pytest.approx([mean])


def test_training_twice_gives_the_same() -> None:
    one, other = (StarsModel().fit(*two_tastes(), item_count=20) for _ in range(2))
    assert said(one, [(0, 5.0)], *range(20)) == said(other, [(0, 5.0)], *range(20))


def test_what_was_saved_says_the_same_and_is_read_from_the_disk(tmp_path: Path) -> None:
    model = StarsModel(neighbours=7, most_users=50).fit(*two_tastes(), item_count=20)
    model.save(tmp_path)
    assert all(file.name == "stars.json" or file.match("stars_*.npy") for file in tmp_path.iterdir())
    again = StarsModel.load(tmp_path)
    assert (again.neighbours, again.most_users, again.half_life) == (7, 50, model.half_life)
    assert isinstance(again.known.base, np.memmap) and isinstance(again.near.values.base, np.memmap)
    history = [(0, 5.0), (-1, 2.0), (7, 1.0)]
    assert said(again, history, -1, *range(20)) == said(model, history, -1, *range(20))


@pytest.mark.skipif(not DATA.is_file(), reason=f"no real data: {DATA} is not there (SHOP_DATA)")
def test_the_last_fifth_of_movielens_is_predicted_well() -> None:
    """Of all the ratings kept back, also of films that nobody had rated before. The mean of all ratings: 1.07."""
    rows = pd.read_csv(DATA).sort_values(["userId", "timestamp"], kind="stable")
    by_user = rows.groupby("userId")
    count = by_user["userId"].transform("size")
    held = (count >= 5) & (by_user.cumcount() >= (0.8 * count).astype(int))
    codes = pd.Index(rows.loc[~held, "movieId"].unique())
    rows["item"] = codes.get_indexer(rows["movieId"])
    earlier, later = rows[~held], rows[held]
    users, items, stars = (earlier[name].to_numpy() for name in ("userId", "item", "rating"))
    model = StarsModel().fit(users, items, stars, item_count=len(codes))
    errors = []
    for user, mine in later.groupby("userId"):
        own = users == user
        found = model.predict(items[own][::-1], stars[own][::-1], mine["item"].to_numpy())
        errors.append(found - mine["rating"].to_numpy())
    squares = np.concatenate(errors) ** 2
    assert len(squares) == 20_417 and np.sqrt(squares.mean()) <= 0.85
