"""The sidebar of the admin: the monitoring page first, then each app with its tables, as far as one may see them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse


def sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    return [*_monitoring(request), *map(_app, admin.site.get_app_list(request))]


def _app(app: dict[str, Any]) -> dict[str, Any]:
    links = [{"title": one["name"], "link": one["admin_url"]} for one in app["models"] if one["admin_url"]]
    return {"title": app["name"], "items": links}


def _monitoring(request: HttpRequest) -> list[dict[str, Any]]:
    if not request.user.has_perm("experiments.view_prediction"):
        return []
    return [{"items": [{"title": "Monitoring", "icon": "monitoring", "link": reverse("monitoring")}]}]
