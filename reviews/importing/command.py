"""What `import_products`, `import_reviews` and `import_ratings` share: the command line, the bar, the summary."""

import re
import time
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError
from tqdm import tqdm

from experiments.errors import DomainError, Invalid
from reviews.importing.importer import Tally, table_import
from reviews.importing.mapping import Rule, Rules, parse_map
from reviews.importing.presets import PRESETS
from reviews.importing.reading import FORMATS, Table, open_table
from reviews.importing.rejects import Rejects
from reviews.importing.stores import Kind


class ImportCommand(BaseCommand):
    kind: ClassVar[Kind]

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        fields = ", ".join(f"{name} (required)" if field.required else name for name, field in self.kind.fields.items())
        epilog = f"The fields: {fields}. More in docs/importing.md."
        return super().create_parser(prog_name, subcommand, epilog=epilog, **kwargs)

    def add_arguments(self, parser: CommandParser) -> None:
        option = parser.add_argument
        option("file", type=Path, metavar="FILE")
        option("--map", action="append", default=[], metavar="COLUMN=FIELD,...", help=(
            "which columns feed which field; '{First} {Second}=name' joins columns; may be given several times. "
            "Without --map and --preset, columns that are called like a field feed it"
        ))  # fmt: skip
        presets = [name for name, kinds in PRESETS.items() if self.kind.name in kinds]
        option("--preset", choices=presets, help="a ready-made map; --map changes single fields of it")
        option("--format", choices=sorted(set(FORMATS.values())), default="", help="default: by the file's ending")
        option("--source", help="names the rows (default: the preset, or the file's name without its ending)")
        if self.kind.needs_products:
            option("--catalogue", metavar="SOURCE", help="of the products and users in the rows (default: --source)")
        option("--rejected", type=Path, metavar="PATH", help="where bad rows go (default: FILE.rejected.csv)")

    def handle(self, *, file: Path, rejected: Path | None, **options: Any) -> None:
        start = time.perf_counter()
        try:
            table = open_table(Path(file), options["format"])
            rules = self._rules(table, options)
            rejects = self._rejects(Path(file), rejected, table)
            tally = self._import(table, rules, rejects, Path(file), options)
        except DomainError as error:
            raise CommandError(error.detail) from None
        except OSError as error:
            raise CommandError(str(error)) from error
        self._summary(tally, rejects, time.perf_counter() - start)

    def _rules(self, table: Table, options: dict[str, Any]) -> Rules:
        named = parse_map(options["map"])
        if options["preset"]:
            return {**PRESETS[options["preset"]][self.kind.name], **named}
        return named or {name: Rule((name,)) for name in self.kind.fields if name in table.columns}

    def _rejects(self, file: Path, given: Path | None, table: Table) -> Rejects:
        path = given or file.with_name(f"{file.name}.rejected.csv")
        if path.exists() and path.samefile(file):
            raise Invalid("rejected", f"--rejected {path} is the file to import.")
        try:
            return Rejects(path, table.as_read_columns)
        except OSError:
            if given:
                raise
        self.stderr.write(f"{path.parent} cannot be written: bad rows go to {path.name} in the current folder.")
        return Rejects(Path(path.name), table.as_read_columns)

    def _import(self, table: Table, rules: Rules, rejects: Rejects, file: Path, options: dict[str, Any]) -> Tally:
        source = options["source"] or options["preset"] or re.sub(r"[^\w.-]", "_", file.stem)[:64]
        done = Tally()
        with tqdm(total=file.stat().st_size, desc=self.kind.name, unit="B", unit_scale=True) as bar:

            def told(tally: Tally) -> None:
                nonlocal done
                done = tally
                bar.set_postfix_str(f"{tally.new + tally.there:,} in, {tally.rejected:,} rejected", refresh=False)
                bar.update(tally.end - bar.n)

            try:
                return table_import(
                    kind=self.kind,
                    table=table,
                    rules=rules,
                    source=source,
                    catalogue=options.get("catalogue") or source,
                    rejects=rejects,
                    told=told,
                )
            except (KeyboardInterrupt, DatabaseError, OSError) as error:
                reason = "the keyboard" if isinstance(error, KeyboardInterrupt) else str(error).strip()
                raise CommandError(
                    f"Stopped by {reason}. {done.new + done.there:,} rows are in; the same command again goes on."
                ) from error
            finally:
                rejects.save()

    def _summary(self, tally: Tally, rejects: Rejects, seconds: float) -> None:
        counts = f"{tally.new:,} new, {tally.there:,} in already, {tally.rejected:,} rejected"
        self.stdout.write(f"{tally.read:,} {self.kind.name} read in {seconds:.1f} s: {counts}.")
        if tally.rejected == tally.read > 0:
            raise CommandError(f"No row was good. Each with its reason is in {rejects.path}.")
        if tally.rejected:
            self.stdout.write(self.style.WARNING(f"The rejected rows, each with its reason, are in {rejects.path}."))
