"""What can go wrong with the shop's records."""

from experiments.errors import Conflict, DomainError


class AlreadyReviewed(Conflict):
    """One review a user a product. `extra` holds the link to the first."""

    code = "already_reviewed"


class ReviewFailed(DomainError):
    """The model failed on a batch of reviews; `review_id` is the last of them."""

    def __init__(self, review_id: int) -> None:
        super().__init__(f"The model failed on review {review_id} or one before it.")
        self.review_id = review_id
