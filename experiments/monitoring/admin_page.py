"""The monitoring page of the admin: one window of time at a glance, for staff who may look at predictions."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.forms import Media
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from experiments.alarms.selectors import alarms_firing
from experiments.errors import Invalid
from experiments.monitoring import selectors
from experiments.monitoring.page import page_of
from experiments.monitoring.summary import summary_of
from experiments.monitoring.windows import WINDOWS

MEDIA = Media(css={"all": ["experiments/abtest.css", "experiments/monitoring.css"]})
DEFAULT = "24h"


@require_safe
@admin.site.admin_view
@permission_required("experiments.view_prediction", raise_exception=True)
def monitoring_page(request: HttpRequest) -> HttpResponse:
    window = request.GET.get("window", DEFAULT)
    context: dict[str, Any] = {
        **admin.site.each_context(request), "title": "Monitoring", "media": MEDIA, "windows": list(WINDOWS),
        "window": window, "default": DEFAULT,
    }  # fmt: skip
    try:
        shown = _shown(window)
    except Invalid as error:
        shown = {"refused": error.detail}
    status = 400 if "refused" in shown else 200
    return TemplateResponse(request, "admin/experiments/monitoring/page.html", {**context, **shown}, status=status)


def _shown(window: str) -> dict[str, Any]:
    now = timezone.now()
    return {
        "page": page_of(summary_of(window, now), now), "drift": selectors.drift_now(), "jobs": selectors.jobs_now(),
        "refusals": selectors.refused(), "tests": selectors.tests_running(), "alarms": alarms_firing(),
    }  # fmt: skip
