"""The shop's colours and its six looks. A look holds a product's colours and patterns together across categories, which
is what customers' tastes, descriptions and pictures share."""

from dataclasses import dataclass

COLOURS: dict[str, tuple[int, int, int]] = {
    "oat": (222, 208, 184),
    "sage": (158, 178, 150),
    "fog grey": (178, 184, 188),
    "ice blue": (176, 204, 218),
    "birch white": (238, 234, 224),
    "mustard": (222, 168, 48),
    "teal": (38, 128, 132),
    "rust": (184, 84, 46),
    "avocado": (128, 142, 66),
    "cream": (246, 234, 208),
    "terracotta": (202, 108, 76),
    "indigo": (62, 68, 132),
    "ochre": (204, 140, 58),
    "plum": (116, 58, 92),
    "sand": (224, 200, 160),
    "black": (38, 38, 42),
    "charcoal": (74, 78, 86),
    "white": (240, 240, 240),
    "steel blue": (84, 116, 148),
    "signal red": (206, 52, 48),
    "moss": (92, 108, 66),
    "orange": (236, 122, 40),
    "lake blue": (44, 116, 178),
    "lime": (168, 198, 58),
    "slate": (84, 98, 108),
    "blush": (234, 184, 182),
    "lilac": (188, 168, 212),
    "rose": (212, 112, 134),
    "ivory": (250, 242, 226),
    "powder blue": (168, 192, 224),
}


@dataclass(frozen=True)
class Look:
    name: str
    colours: tuple[str, ...]
    accents: tuple[str, ...]
    patterns: tuple[str, ...]  # most typical first
    lines: tuple[str, ...]  # sentences for descriptions


LOOKS = (
    Look(
        "nordic",
        ("oat", "sage", "fog grey", "ice blue", "birch white"),
        ("birch white", "charcoal", "sage"),
        ("plain", "fairisle", "stripes"),
        (
            "The look is calm, Nordic and pared back.",
            "Scandinavian design: quiet colours and nothing too much.",
            "Minimal, Nordic and made to last.",
            "A quiet Scandinavian piece that goes with natural wood and white walls.",
        ),
    ),
    Look(
        "retro",
        ("mustard", "teal", "rust", "avocado", "cream"),
        ("cream", "rust", "teal"),
        ("stripes", "checks", "dots"),
        (
            "A wink at the seventies, in the best retro colours.",
            "Vintage charm, as if from a well-kept family photo.",
            "Retro in look, new in everything else.",
            "It takes up a vintage design that never really went away.",
        ),
    ),
    Look(
        "boho",
        ("terracotta", "indigo", "ochre", "plum", "sand"),
        ("sand", "indigo", "ochre"),
        ("floral", "stripes", "plain"),
        (
            "Free-spirited and warm, with a bohemian touch.",
            "A bohemian favourite in the colours of earth and spices.",
            "Artisan character: no two look quite the same.",
            "Relaxed boho style, inspired by markets and long summers.",
        ),
    ),
    Look(
        "urban",
        ("black", "charcoal", "white", "steel blue", "signal red"),
        ("white", "black", "signal red"),
        ("block", "plain", "checks"),
        (
            "Clean lines and strong contrast for the city.",
            "Modern and urban, made for long days between office and bar.",
            "A sharp, modern design with no frills.",
            "City style: dark, clean and easy to combine.",
        ),
    ),
    Look(
        "outdoor",
        ("moss", "orange", "lake blue", "lime", "slate"),
        ("orange", "slate", "lime"),
        ("block", "stripes", "plain"),
        (
            "Active and rugged, in colours that show on a trail.",
            "Made for people who would rather be outdoors.",
            "Sporty, rugged and not afraid of mud.",
            "An outdoor spirit, at home on a trail and on a tram.",
        ),
    ),
    Look(
        "romantic",
        ("blush", "lilac", "rose", "ivory", "powder blue"),
        ("ivory", "rose", "lilac"),
        ("floral", "dots", "plain"),
        (
            "Romantic and delicate, in soft pastel shades.",
            "A tender, feminine style with a love of detail.",
            "Delicate pastel colours and a romantic mood.",
            "Soft, romantic and a little dreamy.",
        ),
    ),
)
