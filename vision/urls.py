"""Routes of pictures."""

from django.urls import path

from vision import views

urlpatterns = [
    path("products/classify-image/", views.ClassifyImage.as_view()),
    path("products/search-by-image/", views.SearchByImage.as_view()),
    path("vision/detect/", views.Detect.as_view()),
]
