"""An offline evaluation (ml/evaluation.py: compare) for people: as a table and as a picture."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

RANKING = {"ndcg": "NDCG", "recall": "recall", "map": "MAP", "hit": "hit rate"}
VARIETY = {"coverage": "coverage", "novelty": "novelty", "diversity": "diversity", "popular": "popular"}
LIVE, OTHER = "#1f5a8a", "#9db4c6"
GAP = "  "  # between the columns of a table
Figure = dict[str, float | None]


def table(report: dict[str, Any]) -> str:
    """For each k the figures of accuracy with their intervals, those of variety, and the differences."""
    reference, ks = report["reference"], report["k"]
    measured = [one for one in report["recommenders"] if "figures" in one]
    lines = [
        f"{report['task']} under {report['protocol']}: {report['users']:,} users, {report['products']:,} products.",
        f"{report['held_out']:,} ratings were held out, {report['learned_from']:,} rows learned from.",
        f"In brackets the interval ({report['interval']}).",
        _of_reference(reference),
    ]
    for k in ks:
        lines += _block(f"at {k}", measured, "figures", _named(RANKING, k), _with_interval)
    extra = {f"recall_to_random@{k}": f"recall@{k}/chance" for k in ks} | {"rmse": "RMSE"}
    lines += _block("", measured, "figures", extra, _with_interval)
    for k in ks:
        lines += _block(f"at {k}", measured, "figures", _named(VARIETY, k), _plain)
    if reference and any("difference" in one for one in measured):
        for k in ks:
            title = f"at {k}, less {reference['name']}"
            lines += _block(title, measured, "difference", _named(RANKING, k), _signed)
        lines += ["* the interval does not hold 0"]
    failed = [f"{one['name']} was not measured: {one['error']}" for one in report["recommenders"] if "error" in one]
    return "\n".join([*lines, *([""] if failed else []), *failed])


def _of_reference(reference: dict[str, Any] | None) -> str:
    if not reference or not reference["measured"]:
        return "What the others would be compared with could not be measured."
    if reference["live"]:
        return f"Compared with the live version, fitted anew under this protocol: {reference['name']}."
    return f"No version is live: compared with the default algorithm, {reference['name']}."


def _named(names: dict[str, str], k: int) -> dict[str, str]:
    return {f"{name}@{k}": title for name, title in names.items()}


def _block(
    title: str, rows: Sequence[dict[str, Any]], part: str, names: dict[str, str], show: Callable[[Figure], str]
) -> list[str]:
    """A blank line, a heading, and one line a recommender; left out is what has no figure at all."""
    rows = [one for one in rows if not names.keys().isdisjoint(one.get(part, {}))]
    names = {name: said for name, said in names.items() if any(name in one[part] for one in rows)}
    if not names:
        return []
    cells = [[title, *names.values()]]
    for one in rows:
        found = [show(one[part][name]) if name in one[part] else "" for name in names]
        cells.append([_label(one), *found])
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [GAP.join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)) for row in cells]
    return ["", *(line.rstrip() for line in lines)]


def _label(one: dict[str, Any]) -> str:
    return f"{one['name']} (live)" if one["live"] else str(one["name"])


def _plain(figure: Figure) -> str:
    value = figure["value"]
    return "-" if value is None else f"{value:.3f}"


def _with_interval(figure: Figure) -> str:
    if figure["low"] is None:
        return _plain(figure)
    return f"{figure['value']:.3f} ({figure['low']:.3f}-{figure['high']:.3f})"


def _signed(figure: Figure) -> str:
    value, low, high = figure["value"], figure["low"], figure["high"]
    if value is None or low is None or high is None:
        return "-"
    return f"{value:+.3f}{'*' if low * high > 0 else ' '}({low:+.3f} {high:+.3f})"


def plot(report: dict[str, Any], path: Path) -> None:
    """NDCG at the first k and recall at the last, with intervals, and coverage beside them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    rows = [one for one in report["recommenders"] if "figures" in one][::-1]  # the first on top
    first, last = report["k"][0], report["k"][-1]
    shown = {f"ndcg@{first}": f"NDCG@{first}", f"recall@{last}": f"Recall@{last}"}
    shown |= {f"coverage@{first}": f"Coverage@{first}"}
    canvas = Canvas(figsize=(12, 1.6 + 0.42 * len(rows)), layout="constrained")
    FigureCanvasAgg(canvas)
    for place, (axes, (name, title)) in enumerate(zip(canvas.subplots(1, 3), shown.items(), strict=True)):
        figures = [one["figures"][name] for one in rows]
        values = [one["value"] or 0.0 for one in figures]
        bars = axes.barh(range(len(rows)), values, color=[LIVE if one["live"] else OTHER for one in rows], height=0.66)
        starts, ends = (
            [value if one[side] is None else one[side] for one, value in zip(figures, values, strict=True)]
            for side in ("low", "high")
        )
        spread = [
            [max(value - start, 0) for start, value in zip(starts, values, strict=True)],
            [max(end - value, 0) for end, value in zip(ends, values, strict=True)],
        ]
        if any(map(sum, spread)):
            axes.errorbar(values, range(len(rows)), xerr=spread, fmt="none", ecolor="#333333", capsize=3, lw=1)
        for bar, one, end in zip(bars, figures, ends, strict=True):
            axes.annotate(_plain(one), (end, bar.get_y() + bar.get_height() / 2), (4, 0),
                          textcoords="offset points", va="center", fontsize=9)  # fmt: skip
        labels = list(map(_label, rows))
        axes.set_yticks(range(len(rows)), labels if place == 0 else [""] * len(rows))
        axes.set_xlim(0, max(*ends, 1e-3) * 1.18)
        axes.locator_params(axis="x", nbins=5)
        axes.set_title(title, fontsize=11)
        axes.spines[["top", "right"]].set_visible(False)
    canvas.suptitle(
        f"{report['task']} under {report['protocol']}: {report['users']:,} users, {report['products']:,} products "
        "(lines: 95 % bootstrap intervals)", fontsize=12,
    )  # fmt: skip
    canvas.savefig(path, dpi=120, format="png")
