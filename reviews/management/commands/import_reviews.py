from reviews.importing.command import ImportCommand
from reviews.importing.stores import REVIEWS


class Command(ImportCommand):
    help = "Import reviews from CSV, TSV or JSON lines. Run again, it changes nothing."
    kind = REVIEWS
