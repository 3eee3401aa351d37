from reviews.importing.command import ImportCommand
from reviews.importing.stores import RATINGS


class Command(ImportCommand):
    help = "Import ratings, with users who cannot log in, from CSV, TSV or JSON lines. Run again, it changes nothing."
    kind = RATINGS
