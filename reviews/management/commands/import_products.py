from reviews.importing.command import ImportCommand
from reviews.importing.stores import PRODUCTS


class Command(ImportCommand):
    help = "Import products from CSV, TSV or JSON lines. Run again, it changes nothing."
    kind = PRODUCTS
