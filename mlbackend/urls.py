"""All routes: the API under /api/v1/, the admin, probes, pictures. Each room brings its own list."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularSwaggerView

from experiments.monitoring.admin_page import monitoring_page
from mlbackend import health, metrics
from mlbackend.media import media
from mlbackend.openapi import Schema
from pricing.views import PricePage

api: list[URLPattern | URLResolver] = [
    path("", include("pricing.urls")),  # before experiments: predict/price/ knows more than the bounds of its fields
    path("", include("experiments.urls")),  # early: predictions are asked for most
    path("", include("mlbackend.accounts.urls")),
    path("", include("recommendations.urls")),  # before reviews: products/recommendations/ is not a product's id
    path("", include("vision.urls")),  # and nor is products/classify-image/
    path("", include("reviews.urls")),
    path("", include("nlp.urls")),
    path("schema/", Schema.as_view(), name="schema"),
    path(
        "docs/",
        SpectacularSwaggerView.as_view(permission_classes=[], authentication_classes=[], http_method_names=["get"]),
        name="docs",
    ),
]
urlpatterns = [
    path("api/v1/", include(api)),
    path("admin", RedirectView.as_view(url="/admin/")),
    path("admin/monitoring/", monitoring_page, name="monitoring"),
    path("admin/", admin.site.urls),
    path("healthz", health.Healthz.as_view()),
    path("readyz", health.Readyz.as_view()),
    path("metrics", metrics.page),
    path("media/<path:path>", media),
    path("demo/price/", PricePage.as_view()),
]
handler400 = "mlbackend.errors.bad_request"
handler403 = "mlbackend.errors.permission_denied"
handler404 = "mlbackend.errors.page_not_found"
handler500 = "mlbackend.errors.server_error"
