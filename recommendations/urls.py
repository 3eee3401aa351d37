"""Routes of recommendations."""

from django.urls import path

from recommendations import views

urlpatterns = [
    path("products/recommendations/", views.Recommendations.as_view()),
    path("products/trending/", views.Trending.as_view()),
    path("products/<int:pk>/similar/", views.Similar.as_view()),
    path("recommend/", views.Recommend.as_view()),
    path("recommend/collaborative/", views.Collaborative.as_view()),
    path("recommend/content/", views.Content.as_view()),
    path("recommend/hybrid/", views.Hybrid.as_view()),
]
