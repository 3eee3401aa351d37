"""What a page of the admin says: its words, its charts and the rows of its tables."""

import re
from xml.etree import ElementTree


def words(page: str) -> str:
    """As they are read: without the tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())


def charts(page: str) -> list[ElementTree.Element]:
    """As well-formed XML."""
    return [ElementTree.fromstring(one) for one in re.findall(r"<svg role.*?\n</svg>", page, re.DOTALL)]


def row(page: str, table: str, name: str) -> list[str]:
    """The cells of the table that is so labelled, in the row that is so named."""
    [body] = re.findall(rf'aria-label="{re.escape(table)}">(.*?)</table>', page, re.DOTALL)
    rows = [[words(cell) for cell in re.split(r"</t[hd]>", one)][:-1] for one in body.split("</tr>")]
    [found] = [one for one in rows if one and one[0].startswith(name)]
    return found
