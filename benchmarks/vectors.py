"""`make bench-vectors`: search among 100,000 pictures by their vectors, with filters that match 1 % and without.

The vectors are made: clusters of directions, as those of photographs lie, in a database of its own that is made anew.
Each query goes through the function that `products/search-by-image/` waits for, one after another; the network that
makes a vector of a picture is not in these times. What is found is compared with an exact search over all vectors.
"""

import argparse
import sys
import time
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.shops import choose, make_database

choose("vectors")

import django

django.setup()

import numpy as np
import numpy.typing as npt
from django.db import connection

from reviews.models import Product
from vision.ml.embedding import DIMENSIONS
from vision.models import ImageEmbedding
from vision.selectors import SETTINGS, as_text, products_like

Array = npt.NDArray[Any]
PARTS, N = 100, 10  # N products are asked for
MADE: dict[str, Any] = {"version": 1, "picture": "-", "digest": "-"}
NOISE = 0.7  # the length of what is added to the direction of a cluster


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=200)
    options = parser.parse_args()
    cluster, vectors, queries = clustered(options.vectors, options.queries)
    part = np.random.default_rng(1).permutation(options.vectors) % PARTS
    make_database("vectors")
    fill(vectors, part, cluster)
    own, place = int(cluster[-1]), cluster[: -options.queries]  # to most queries, these products are far away
    cases: list[tuple[str, dict[str, Any], Any]] = [
        ("no filter", {}, np.ones(options.vectors, bool)),
        ("1 %, anywhere", {"category": "part 7"}, part == 7),
        ("1 %, one cluster", {"price_min": own, "price_max": own}, place == own),
        ("10 %, ten clusters", {"price_max": 9}, place <= 9),
    ]
    print(f"\n{options.queries} queries for {N} of {options.vectors:,} products, one after another\n")
    print(f"{'filter':18}{'match':>9}{'fewer than n':>14}{'p50 ms':>9}{'p95 ms':>9}{'recall':>9}", flush=True)
    for name, filters, match in cases:
        found, took = zip(*(asked(query, filters) for query in queries), strict=True)
        fewer, numbers = sum(len(one) < N for one in found), np.flatnonzero(match)
        exact = numbers[np.argsort(-(queries @ vectors[numbers].T), axis=1, kind="stable")[:, :N]] + 1
        recall = np.mean([np.isin(wanted, got).mean() for wanted, got in zip(exact, found, strict=True)])
        p50, p95 = np.quantile(took, [0.5, 0.95])
        print(f"{name:18}{len(numbers):9,}{fewer:14}{p50:9.1f}{p95:9.1f}{recall:9.4f}", flush=True)
        assert not fewer, "an answer has fewer products than match"
    for name, filters, _ in cases:
        print(f"\n{name}:\n{plan(partial(asked, queries[0], filters))}")


def clustered(count: int, queries: int) -> tuple[Array, Array, Array]:
    """The cluster of each vector, the vectors of length 1, and as many queries from the same clusters. Noise is less
    and less from one direction to the next, as the variance of a network's features is.
    """
    rng = np.random.default_rng(0)
    spread = (1 / np.sqrt(1 + np.arange(DIMENSIONS))).astype(np.float32)
    centres, found = (rng.standard_normal((one, DIMENSIONS), np.float32) * spread for one in (PARTS, count + queries))
    cluster = rng.permutation(count + queries) % PARTS
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    found *= NOISE / np.linalg.norm(spread)
    found += centres[cluster]
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    return cluster, found[:count], found[count:]


def fill(vectors: Array, part: Array, cluster: Array) -> None:
    """Products numbered from 1, their categories the parts and their prices the clusters, each with its vector."""
    [index] = ImageEmbedding._meta.indexes
    with connection.schema_editor() as editor:
        editor.remove_index(ImageEmbedding, index)
    rows = zip(range(1, len(vectors) + 1), part.tolist(), cluster.tolist(), vectors)  # noqa: B905  (of queries no row)
    while some := list(islice(rows, 2_000)):
        Product.objects.bulk_create(Product(id=at, category=f"part {of}", price=price) for at, of, price, _ in some)
        seen = ((at, vector) for at, _, _, vector in some)
        ImageEmbedding.objects.bulk_create(ImageEmbedding(product_id=at, vector=one, **MADE) for at, one in seen)
    began = time.monotonic()
    with connection.schema_editor() as editor:
        editor.execute("SET LOCAL maintenance_work_mem = '512MB'; SET LOCAL max_parallel_maintenance_workers = 0")
        editor.add_index(ImageEmbedding, index)
    connection.cursor().execute("VACUUM ANALYZE")
    print(f"index made in {time.monotonic() - began:.0f} s", flush=True)


def asked(query: Array, filters: dict[str, Any]) -> tuple[list[int], float]:
    """The products, and the milliseconds."""
    start = time.perf_counter()
    shown = products_like(as_text(query.tolist()), version=MADE["version"], n=N, filters=filters)
    return [one.id for one in shown], (time.perf_counter() - start) * 1000


def plan(ask: Callable[[], Any]) -> str:
    """How Postgres finds the products when `ask` asks: of the plan the part that looks at vectors."""
    lines: list[str] = []

    def explained(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]) -> Any:
        said = f"{SETTINGS} EXPLAIN (ANALYZE, COSTS OFF, BUFFERS OFF) {sql.removeprefix(SETTINGS)}"
        context["cursor"].cursor.execute(said, params)
        lines.extend(line for (line,) in context["cursor"].cursor.fetchall())
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explained):
        ask()
    start, deep = next((at, line.index("CTE")) for at, line in enumerate(lines) if "CTE near" in line)
    end = next(at for at, line in enumerate(lines) if at > start and line.find("->") == deep)
    return "\n".join(line[deep : deep + 118] for line in lines[start:end])


if __name__ == "__main__":
    main()
