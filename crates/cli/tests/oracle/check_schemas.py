"""Holds every JSON record of a package against its JSON Schema, and the manifest's fields against the values.

Usage: check_schemas.py PACKAGE_FOLDER

Prints how many records were validated. Fails with an assertion that says what differs.
"""

import csv
import decimal
import gzip
import io
import json
import pathlib
import re
import sys

import jsonschema
import zstandard

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
FORMATS = jsonschema.FormatChecker(formats=[])


@FORMATS.checks("date-time")
def is_date_time(value):
    return not isinstance(value, str) or RFC3339.fullmatch(value) is not None


def content(raw):
    if raw[:2] == b"\x1f\x8b":
        return gzip.decompress(raw)
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw), read_across_frames=True).read()
    return raw


def lookup(record, path):
    """The value at a path of names joined by dots, names that have dots themselves aside; names in any case."""
    for name in path.split("."):
        if not isinstance(record, dict):
            return None
        record = next((value for key, value in record.items() if key.lower() == name.lower()), None)
    return record


class Field:
    def __init__(self, field):
        self.field = field
        self.path = field.get("path", field["name"])
        self.numbers = []
        self.texts = set()

    def note(self, value):
        if isinstance(value, bool) or value is None:
            return
        if isinstance(value, (int, decimal.Decimal)):
            self.numbers = [min([*self.numbers[:1], value]), max([*self.numbers[1:], value])]
        elif isinstance(value, str):
            self.texts.add(value)

    def check(self):
        name, kind = self.field["name"], self.field["type"]
        if kind in ("long", "decimal") and self.numbers:
            low, high = self.field["minimum"], self.field["maximum"]
            assert (float(self.numbers[0]), float(self.numbers[1])) == (low, high), (name, self.numbers, low, high)
        if kind == "decimal" and self.numbers:
            assert self.field["scale"] >= 0 and self.field["precision"] >= self.field["scale"], self.field
        if kind == "string" and self.field.get("values"):
            assert set(self.field["values"]) == self.texts, (name, self.field["values"], self.texts)
        elif kind == "string" and self.texts:
            assert len(self.texts) > 16 or max(map(lambda text: len(text.encode()), self.texts)) > 40, (name, self.texts)


def main():
    root = pathlib.Path(sys.argv[1])
    manifest = json.loads((root / "manifest.json").read_text())
    validated = 0
    for event_type, schema in manifest["schemas"].items():
        files = [entry for entry in manifest["files"] if entry["eventType"] == event_type]
        text = json.loads((root / f"metadata/schemas/{event_type}.json").read_text())
        jsonschema.Draft202012Validator.check_schema(text)
        validator = jsonschema.Draft202012Validator(text, format_checker=FORMATS)
        fields = [Field(field) for field in schema["fields"]]
        only_json = all(entry["format"] == "jsonl" for entry in files)
        for entry in files:
            raw = content((root / entry["path"]).read_bytes())
            if entry["format"] == "csv":
                rows = [row for row in csv.reader(io.StringIO(raw.decode("utf-8-sig")), delimiter=entry["csv"]["delimiter"])]
                columns = {field["name"].lower() for field in schema["fields"]}
                assert {name.lower() for name in entry["csv"]["columns"]} <= columns, entry["path"]
                assert rows
            if entry["format"] != "jsonl":
                continue
            for number, line in enumerate(raw.decode("utf-8-sig").split("\n"), 1):
                if not line.strip():
                    continue
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                error = next(validator.iter_errors(record), None)
                assert error is None, (entry["path"], number, error)
                validated += 1
                if only_json:
                    exact = json.loads(line, parse_float=decimal.Decimal)
                    for field in fields:
                        field.note(lookup(exact, field.path))
        # Where one column comes from several places in the record, the path names the first.
        if only_json and len(files) == 1:
            for field in fields:
                field.check()
    print(validated)


main()
