"""Routes of this room, beside `predict/rating/`."""

from django.urls import path

from pricing import views

urlpatterns = [
    path("predict/price/", views.predict_price, name="price-predict"),
    path("models/price/locations/", views.Locations.as_view(), name="price-locations"),
    path("models/price/browser/", views.BrowserEdition.as_view(), name="price-browser"),
    path("models/price/browser/<slug:sha256>/<str:name>", views.BrowserFile.as_view(), name="price-browser-file"),
]
