"""What can go wrong with the shop's records."""

from experiments.errors import Conflict


class AlreadyReviewed(Conflict):
    """One review a user a product. `extra` holds the link to the first."""

    code = "already_reviewed"
