"""Routes of the shop's records."""

from django.urls import include, path
from rest_framework.routers import SimpleRouter

from reviews import views

router = SimpleRouter(use_regex_path=False)
router.register("products", views.ProductViewSet, "product")
router.register("ratings", views.RatingViewSet, "rating")
urlpatterns = [
    path("", include(router.urls)),
    path("reviews/<int:product_id>/sentiment/", views.ReviewCreate.as_view()),
    path("reviews/<int:pk>/", views.ReviewDetail.as_view()),
    path("events/", views.EventCreate.as_view()),
]
