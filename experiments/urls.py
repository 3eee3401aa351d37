"""Routes of this room. Every public task of any app has `predict/<task>/`."""

from django.urls import path

from experiments import views
from experiments.discovery import tasks

urlpatterns = [
    *(path(f"predict/{name}/", views.predict_view(task)) for name, task in tasks().items() if task.public),
    path("predictions/", views.PredictionList.as_view()),
    path("predictions/<uuid:prediction_id>/outcome/", views.PredictionOutcome.as_view()),
    path("models/", views.ModelList.as_view()),
    path("models/<slug:task>/versions/", views.VersionList.as_view()),
    path("models/<slug:task>/versions/<int:version>/promote/", views.Promote.as_view()),
    path("models/<slug:task>/rollback/", views.Rollback.as_view()),
    path("models/<slug:task>/timeline/", views.Timeline.as_view()),
]
