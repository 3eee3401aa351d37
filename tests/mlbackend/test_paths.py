import pytest
from django.urls import Resolver404, resolve

from experiments.uuid7 import EPOCH, uuid7_floor

# Every path of the HTTP contract that is built, with the view that answers it.
PATHS = {
    "auth/register/": "Register",
    "auth/token/": "Token",
    "auth/token/refresh/": "TokenRefresh",
    "auth/logout/": "Logout",
    "auth/me/": "Me",
    "auth/me/data/": "MyData",
    "products/": "ProductViewSet",
    "products/7/": "ProductViewSet",
    "products/7/reviews/": "ProductViewSet",
    "products/7/similar/": "Similar",
    "products/classify-image/": "ClassifyImage",
    "products/recommendations/": "Recommendations",
    "products/search-by-image/": "SearchByImage",
    "products/trending/": "Trending",
    "reviews/7/": "ReviewDetail",
    "reviews/7/sentiment/": "ReviewCreate",
    "ratings/": "RatingViewSet",
    "ratings/7/": "RatingViewSet",
    "events/": "EventCreate",
    "predict/sentiment/": "PredictSentiment",
    "predict/price/": "PredictPrice",
    "predict/rating/": "PredictRating",
    "predictions/": "PredictionList",
    f"predictions/{uuid7_floor(EPOCH)}/outcome/": "PredictionOutcome",
    "recommend/": "Recommend",
    "recommend/collaborative/": "Collaborative",
    "models/": "ModelList",
    "models/sentiment/versions/": "VersionList",
    "models/sentiment/versions/7/promote/": "Promote",
    "models/sentiment/rollback/": "Rollback",
    "models/sentiment/timeline/": "Timeline",
    "models/price/browser/": "BrowserEdition",
    f"models/price/browser/{'0' * 64}/model.json": "BrowserFile",
    "models/price/locations/": "Locations",
    "experiments/": "ABTestList",
    "experiments/7/": "ABTestDetail",
    "experiments/7/start/": "ABTestStart",
    "experiments/7/pause/": "ABTestPause",
    "experiments/7/stop/": "ABTestStop",
    "experiments/7/promote-winner/": "ABTestPromoteWinner",
    "experiments/7/results/": "ABTestResults",
    "experiments/7/actions/": "ABTestActions",
    "experiments/plan/": "ABTestPlan",
    "experiments/assignment/": "Assignments",
    "monitoring/summary/": "MonitoringSummary",
    "vision/detect/": "Detect",
    "schema/": "Schema",
    "docs/": "SpectacularSwaggerView",
}


@pytest.mark.parametrize("path", PATHS)
def test_every_path_of_the_contract_leads_to_its_own_view(path: str) -> None:
    function = resolve(f"/api/v1/{path}").func
    assert getattr(function, "cls", getattr(function, "view_class", None)).__name__ == PATHS[path]


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_probes_are_beside_the_api(path: str) -> None:
    assert resolve(path).func.view_class.__name__.lower() == path[1:]


@pytest.mark.parametrize("path", ["products/x/", "products/-1/", "products/7/x/", "ratings/x/"])
def test_what_is_no_id_leads_nowhere(path: str) -> None:
    with pytest.raises(Resolver404):
        resolve(f"/api/v1/{path}")
