"""The pages of A/B tests in the admin, and their forms as a browser would send them."""

from html import unescape
from typing import Any

from django.forms import BaseForm, MultiWidget
from django.test import Client

from experiments.models import ABTest

TESTS = "/admin/experiments/abtest/"


def at(test: ABTest | int, page: str = "change") -> str:
    return f"{TESTS}{test if isinstance(test, int) else test.pk}/{page}/"


def opened(office: Client, path: str) -> dict[str, Any]:
    """All that the form of this page has in it."""
    context = office.get(path).context
    found = _values(context["adminform"].form)
    for inline in context["inline_admin_formsets"]:
        for form in (inline.formset.management_form, *inline.formset.forms):
            found |= _values(form)
    return found


def made(office: Client, *variants: dict[str, Any], **facts: Any) -> dict[str, Any]:
    """The form of a new test, with what it takes."""
    given = opened(office, f"{TESTS}add/") | {"name": "which is better", "task": "sentiment"} | facts
    rows = {
        f"variants-{place}-{name}": value
        for place, variant in enumerate(variants or ({}, {}))
        for name, value in {"name": f"variant {place}", "weight": "1", "version": "", "config": "", **variant}.items()
    }
    return given | {"variants-TOTAL_FORMS": len(variants) or 2} | rows


def refused(office: Client, path: str, given: dict[str, Any]) -> dict[str, str]:
    """The words of the page that says what is wrong, by field: "" is the whole form, `variants` its rows as such."""
    answer = office.post(path, given)
    assert answer.status_code == 200, answer
    form, [inline] = answer.context["adminform"].form, answer.context["inline_admin_formsets"]
    found = {field.replace("__all__", ""): list(words) for field, words in form.errors.items()}
    found |= {"variants": list(inline.formset.non_form_errors())} if inline.formset.non_form_errors() else {}
    for one in inline.formset.forms:
        found |= {one.add_prefix(field): list(words) for field, words in one.errors.items() if field != "id"}
    page = unescape(answer.content.decode())
    for field, words in found.items():
        assert all(one in page for one in words), f"{field}: {words} is not on the page"
    return {field: " ".join(words) for field, words in found.items()}


def said(office: Client, path: str, given: dict[str, Any] | None = None) -> list[str]:
    """What the page says that a POST leads to."""
    answer = office.post(path, given or {}, follow=True)
    assert answer.status_code == 200
    return [str(one) for one in answer.context["messages"]]


def _values(form: BaseForm) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in form:
        value, widget = field.value(), field.field.widget
        if isinstance(widget, MultiWidget):
            parts = enumerate(widget.decompress(value))
            found |= {f"{field.html_name}_{place}": part or "" for place, part in parts}
        elif value is not None:
            found[field.html_name] = value
    return found
