"""How ratings are held out. Rows are told as a user's products in order of time."""

from collections.abc import Callable

import pandas as pd
import pytest

from recommendations.ml.protocols import PROTOCOLS, global_time, leave_last_out, new_products, temporal_user


def rows(*facts: tuple[str, int, str, float]) -> pd.DataFrame:
    """User, product, kind, time."""
    frame = pd.DataFrame(facts, columns=["unit", "product", "kind", "at"])
    return frame.assign(value=4.0).sort_values(["unit", "at"], kind="stable", ignore_index=True)


def rated(user: str, count: int, first: float = 0) -> list[tuple[str, int, str, float]]:
    """Products 0, 1, … at the times `first`, `first` + 1, …"""
    return [(user, number, "rating", first + number) for number in range(count)]


def held(found: pd.DataFrame, user: str) -> list[int]:
    return found.loc[found["held_out"] & (found["unit"] == user), "product"].tolist()


def kept(found: pd.DataFrame, user: str) -> list[int]:
    return found.loc[~found["held_out"] & (found["unit"] == user), "product"].tolist()


@pytest.mark.parametrize(("count", "later"), [(1, 0), (4, 0), (5, 1), (9, 2), (10, 2), (11, 3), (15, 3), (35, 7)])
def test_temporal_user_holds_out_the_last_fifth_of_five_ratings_or_more(count: int, later: int) -> None:
    found = temporal_user(rows(*rated("ann", 7), *rated("bob", count)))
    assert held(found, "bob") == list(range(count))[count - later :]
    assert kept(found, "bob") == list(range(count))[: count - later]
    assert len(held(found, "ann")) == 2


def test_leave_last_out_holds_out_the_last_rating_of_who_has_another() -> None:
    found = leave_last_out(rows(*rated("ann", 4), *rated("bob", 1)))
    assert (held(found, "ann"), kept(found, "ann")) == ([3], [0, 1, 2])
    assert (held(found, "bob"), kept(found, "bob")) == ([], [0])


@pytest.mark.parametrize("protocol", [temporal_user, leave_last_out])
def test_what_a_user_did_from_the_first_held_out_rating_on_is_gone(
    protocol: Callable[[pd.DataFrame], pd.DataFrame],
) -> None:
    events = [
        ("ann", 50, "view", 3.5),
        ("ann", 51, "view", 4.0),
        ("ann", 52, "purchase", 9.0),
        ("bob", 53, "view", 9.0),
    ]
    found = protocol(rows(*rated("ann", 5), *events))
    assert kept(found, "ann") == [0, 1, 2, 3, 50]
    assert held(found, "ann") == [4]
    assert kept(found, "bob") == [53]  # nothing of bob's is held out


def test_global_time_holds_out_everything_from_one_moment_on() -> None:
    early, late = rated("ann", 6), rated("bob", 2, first=7)  # the quantile of all times is 7.1
    found = global_time(rows(*early, ("ann", 60, "rating", 7.5), ("cleo", 70, "rating", 1), *late))
    assert (kept(found, "ann"), held(found, "ann")) == ([0, 1, 2, 3, 4, 5], [60])
    assert (kept(found, "bob"), held(found, "bob")) == ([0], [1])
    assert kept(found, "cleo") == [70]


def test_global_time_learns_nothing_of_the_future_of_anybody() -> None:
    late = [("bob", 1, "rating", 100.0), ("bob", 2, "rating", 101.0)]  # bob has no history before
    events = [("ann", 8, "view", 99.0), ("cleo", 8, "view", 2.0), ("cleo", 9, "view", 99.0), ("cleo", 1, "rating", 99)]
    found = global_time(rows(*rated("ann", 10), *late, *events))
    assert "bob" not in set(found["unit"])
    assert found.loc[~found["held_out"], "at"].max() < 99
    assert (kept(found, "cleo"), held(found, "cleo")) == ([8], [1])


def test_new_products_are_out_of_the_training_whole() -> None:
    table = rows(*[(f"user {user}", product, "rating", product) for user in range(20) for product in range(50)])
    events = pd.DataFrame({"unit": "user 3", "product": range(50), "kind": "view", "at": -1.0, "value": 0.0})
    found = new_products(pd.concat([events, table]).sort_values(["unit", "at"], kind="stable", ignore_index=True))
    new = set(found.loc[found["held_out"], "product"])
    assert len(new) == 5
    assert not new & set(found.loc[~found["held_out"], "product"])
    assert held(found, "user 7") == sorted(new)
    old = [product for product in range(50) if product not in new]
    assert kept(found, "user 7") == old[:36]  # the first four fifths of 45
    assert found.loc[found["kind"] == "view", "product"].tolist() == old
    assert found.equals(
        new_products(pd.concat([events, table]).sort_values(["unit", "at"], kind="stable", ignore_index=True))
    )


def test_of_users_who_rated_new_products_alone_nothing_is_asked() -> None:
    table = rows(*rated("ann", 10))
    new = new_products(table).query("held_out")["product"].iloc[0]
    found = new_products(rows(*rated("ann", 10), ("bob", int(new), "rating", 1.0)))
    assert "bob" not in set(found["unit"])
    assert held(found, "ann") == [new]


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_rows_keep_their_order_and_only_ratings_are_held_out(protocol: object) -> None:
    events = [("ann", 3, "click", 2.5), ("bob", 4, "cart", 0.5)]
    table = rows(*rated("ann", 12), *rated("bob", 9), *events)
    before = table.copy()
    found = protocol(table)
    assert found.index.is_monotonic_increasing and found.index.is_unique
    assert found["held_out"].dtype == bool
    assert set(found.loc[found["held_out"], "kind"]) == {"rating"}
    assert table.equals(before)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_without_rows_nothing_is_held_out(protocol: object) -> None:
    empty = rows().astype({"product": "int64", "at": "float64", "value": "float64"})
    assert len(protocol(empty)) == 0
    only_events = rows(("ann", 1, "view", 1.0))
    assert not protocol(only_events)["held_out"].any()
