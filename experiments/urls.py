"""Routes of this room. Every public task of any app has `predict/<task>/`."""

from django.urls import path

from experiments import ab_test_views, views
from experiments.alarms.views import AlarmList
from experiments.discovery import tasks
from experiments.monitoring.views import MonitoringSummary

urlpatterns = [
    *(path(f"predict/{name}/", views.predict_view(task)) for name, task in tasks().items() if task.public),
    path("predictions/", views.PredictionList.as_view()),
    path("predictions/<uuid:prediction_id>/outcome/", views.PredictionOutcome.as_view()),
    path("models/", views.ModelList.as_view()),
    path("models/<slug:task>/versions/", views.VersionList.as_view()),
    path("models/<slug:task>/versions/<int:version>/promote/", views.Promote.as_view()),
    path("models/<slug:task>/rollback/", views.Rollback.as_view()),
    path("models/<slug:task>/timeline/", views.Timeline.as_view()),
    path("experiments/", ab_test_views.ABTestList.as_view()),
    path("experiments/plan/", ab_test_views.ABTestPlan.as_view()),
    path("experiments/assignment/", ab_test_views.Assignments.as_view()),
    path("experiments/<int:test_id>/", ab_test_views.ABTestDetail.as_view()),
    path("experiments/<int:test_id>/start/", ab_test_views.ABTestStart.as_view()),
    path("experiments/<int:test_id>/pause/", ab_test_views.ABTestPause.as_view()),
    path("experiments/<int:test_id>/stop/", ab_test_views.ABTestStop.as_view()),
    path("experiments/<int:test_id>/promote-winner/", ab_test_views.ABTestPromoteWinner.as_view()),
    path("experiments/<int:test_id>/results/", ab_test_views.ABTestResults.as_view()),
    path("experiments/<int:test_id>/actions/", ab_test_views.ABTestActions.as_view()),
    path("monitoring/summary/", MonitoringSummary.as_view()),
    path("monitoring/alarms/", AlarmList.as_view()),
]
