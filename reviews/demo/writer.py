"""Writes one review: a title and two to six sentences about named aspects of one product.

A small grammar over the word files: what a customer thinks of an aspect depends on the product's quality there and on
the stars given; clauses come from general frames ("{aspect} is not as {good} as I hoped") or from the aspect's own
lines, and are joined by "but", "and", "although". Stars and words disagree now and then, as in real reviews."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from types import MappingProxyType
from typing import Any, Literal

from .prose import capitalised, fill
from .records import Product
from .wares import Aspect, Category, Kind, words

Opinion = Literal["praise", "blame", "so_so"]

_ASPECTS = {"plain": (2, 3), "chatty": (3, 4), "terse": (1, 2), "sloppy": (1, 3)}
_RARE = {"price": 0.7, "delivery": 0.35, "service": 0.2}


@dataclass
class Writer:
    """One review in the making; `rng` decides everything."""

    product: Product
    category: Category
    voice: str
    rng: Random
    kept: dict[str, str] = field(default_factory=dict)  # slots that stay the same throughout a review
    used: set[str] = field(default_factory=set)  # patterns that must not come twice
    blaming: bool = False  # whether any aspect is blamed

    @property
    def grammar(self) -> dict[str, Any]:
        return words("grammar")

    def write(self, stars: int) -> tuple[str, str]:
        """Title and text for a rating of `stars`, 1 to 5."""
        felt = stars + self.rng.choices((0, -1, 1), (86, 7, 7))[0]
        felt = min(5, max(1, felt))
        opinions = self._opinions(self._aspects(), felt)
        sentences = self._body(opinions)
        self.blaming = any(opinion == "blame" for _, opinion in opinions)
        sentences = self._opening(felt) + sentences + self._closing(felt, short=len(sentences) < 2)
        return self._title(felt, opinions), " ".join(sentences[:6])

    def _kind(self) -> Kind:
        return next(kind for kind in self.category.kinds if kind.name == self.product.facts["kind"])

    def _aspects(self) -> list[Aspect]:
        """What the review speaks of: extremes come to mind first."""
        choices = list(self.category.aspects[self.product.facts["kind"]])
        low, high = _ASPECTS[self.voice]
        picked: list[Aspect] = []
        for _ in range(self.rng.randint(low, high)):
            weights = [(0.5 + abs(self.product.quality[one.name])) * _RARE.get(one.name, 1.0) for one in choices]
            aspect = self.rng.choices(choices, weights)[0]
            choices.remove(aspect)
            picked.append(aspect)
        return picked

    def _opinions(self, aspects: Sequence[Aspect], felt: int) -> list[tuple[Aspect, Opinion]]:
        """An opinion an aspect, drawn again where they would not go with the stars at all."""
        for _ in range(9):
            drawn = [self._opinion(aspect, felt) for aspect in aspects]
            against = drawn.count("blame" if felt > 3 else "praise")
            if felt == 3 or (against <= (felt in (2, 4)) + (len(drawn) > 2) and against < len(drawn)):
                break
        return list(zip(aspects, drawn, strict=True))

    def _opinion(self, aspect: Aspect, felt: int) -> Opinion:
        lean = 1.1 * self.product.quality[aspect.name] + 1.35 * (felt - 3.2)
        if abs(lean) < 0.9 and self.rng.random() < 0.35:
            return "so_so"
        return "praise" if self.rng.random() < 1 / (1 + math.exp(-lean)) else "blame"

    def _body(self, opinions: Sequence[tuple[Aspect, Opinion]]) -> list[str]:
        """A sentence an aspect, or one for two."""
        sentences = []
        left = [(self._clause(aspect, opinion), opinion) for aspect, opinion in opinions]
        while left:
            clause, opinion = left.pop(0)
            if left and self.rng.random() < 0.55 and _joinable(clause) and _joinable(left[0][0]):
                other, other_opinion = left.pop(0)
                along = opinion == other_opinion or "so_so" in (opinion, other_opinion)
                joined = self._join(clause, other, "along" if along else "against")
                sentences += [capitalised(part) + "." for part in joined.split(". ")]
                continue
            sentences.append(capitalised(self._opener(clause, opinion) + clause) + ".")
        return sentences

    def _join(self, clause: str, other: str, how: str) -> str:
        """Both clauses in one pattern, without a chain of "and"s."""
        patterns: list[str] = self.grammar["joins"][how]
        if " and " in clause + other:
            patterns = [pattern for pattern in patterns if " and {b}" not in pattern]
        return self.rng.choice(patterns).format(a=clause, b=other)

    def _opener(self, clause: str, opinion: Opinion) -> str:
        plain = clause.startswith(("I ", "what ")) or not _joinable(clause) or opinion == "so_so"
        if plain or self.rng.random() < 0.6:
            return ""
        return self._fresh(self.grammar["joins"]["good_openers" if opinion == "praise" else "bad_openers"])

    def _clause(self, aspect: Aspect, opinion: Opinion) -> str:
        """One clause on one aspect, without capital and full stop."""
        lines = {"praise": aspect.praise, "blame": aspect.blame, "so_so": ()}[opinion]
        if lines and self.rng.random() < 0.5:
            return self._fill(self._fresh(lines))
        noun = self.rng.choice(aspect.nouns)
        values = {"aspect": "the " + noun.rstrip("*"), **self._adjectives(aspect)}
        return self._fill(self._fresh(self.grammar["frames"][opinion]), values, plural=noun.endswith("*"))

    def _adjectives(self, aspect: Aspect) -> dict[str, str]:
        good, good2 = self.rng.sample(aspect.good, 2)
        bad, bad2 = self.rng.sample(aspect.bad, 2)
        return {"good": good, "good2": good2, "bad": bad, "bad2": bad2}

    def _opening(self, felt: int) -> list[str]:
        """How it starts: with a verdict, a bit of context, both or neither."""
        if self.voice == "terse" and self.rng.random() < 0.6:
            return []
        draw = self.rng.random()
        verdict = self._fill(self._line(self.grammar["stars"][str(felt)]["openings"]))
        context = self._fill(self.rng.choice(self._kind().contexts))
        if draw < 0.3:
            return [verdict]
        if draw < 0.5:
            return [context]
        if draw < 0.65:
            return [verdict, context]
        if draw < 0.8:
            return [self._fill(self._line(self.grammar["any"]["openings"]))]
        return []

    def _closing(self, felt: int, *, short: bool) -> list[str]:
        if not short and self.rng.random() < 0.6:
            return []
        return [self._fill(self._line(self.grammar["stars"][str(felt)]["closings"]))]

    def _title(self, felt: int, opinions: Sequence[tuple[Aspect, Opinion]]) -> str:
        named = [(aspect, opinion, noun) for aspect, opinion in opinions if (noun := self._title_noun(aspect))]
        praised = [one for one in named if one[1] == "praise"]
        blamed = [one for one in named if one[1] == "blame"]
        draw = self.rng.random()
        if draw < 0.25:
            return self._fill(self._line(self.grammar["any"]["titles"]))
        if draw > 0.6 or not (praised or blamed):
            return self._fill(self._line(self.grammar["stars"][str(felt)]["titles"]))
        if praised and blamed:
            good, bad = praised[0], blamed[0]
            values = {"good": good[0].good[0], "bad": bad[0].bad[0], "noun": good[2], "noun2": bad[2]}
            return capitalised(self._fill(self._fresh(self.grammar["any"]["mixed_titles"]), values))
        aspect, _, noun = (praised or blamed)[0]
        titles = self.grammar["any"]["good_titles" if praised else "bad_titles"]
        return capitalised(self._fill(self._fresh(titles), {"noun": noun, **self._adjectives(aspect)}))

    def _title_noun(self, aspect: Aspect) -> str:
        """A noun of the aspect that needs no facts filled in, or nothing."""
        plain = [noun.rstrip("*") for noun in aspect.nouns if "{" not in noun]
        return self.rng.choice(plain) if plain else ""

    def _line(self, lines: Sequence[str]) -> str:
        """A line on the whole that suits the product and what was said of its aspects; the marks are grammar.toml's."""
        suits = {"+": not self.blaming, "-": self.blaming, "*": self.category.name != "Books"}
        return self._fresh([line for line in lines if suits.get(line[0], True)]).lstrip("+-*")

    def _fresh(self, patterns: Sequence[str]) -> str:
        """One of the patterns that this review has not used yet."""
        left = [pattern for pattern in patterns if pattern not in self.used] or list(patterns)
        pattern = self.rng.choice(left)
        self.used.add(pattern)
        return pattern

    def _fill(
        self, pattern: str, values: Mapping[str, str] = MappingProxyType({}), *, plural: bool | None = None
    ) -> str:
        number = self.product.plural if plural is None else plural
        return fill(pattern, {**self.product.facts, **values}, plural=number, slot=self._slot)

    def _slot(self, name: str) -> str:
        choices: dict[str, Sequence[str]] = {**self.grammar["slots"], **self.category.slots}
        if name in ("really", "times", "person", "month", "day", "years"):
            return self.rng.choice(choices[name])
        if name == "place2":
            return self.rng.choice([place for place in choices["place"] if place != self.kept.get("place")])
        return self.kept.setdefault(name, self.rng.choice(choices[name]))


def _joinable(clause: str) -> bool:
    return not any(mark in clause for mark in (", but ", "; ", ": ", ", so ", ", and ", "although ", " yet "))
