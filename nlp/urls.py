"""Routes of this room, beside `predict/sentiment/`."""

from django.urls import path

from nlp import views

urlpatterns = [
    path("nlp/entities/", views.entities),
    path("nlp/summarize/", views.summarize),
]
