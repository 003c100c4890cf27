"""An independent reader of packages: recomputes every claim of the manifest with other tools.

Usage: check_package.py PACKAGE.zip [SOURCE_ROOT]

Prints a JSON summary. With SOURCE_ROOT, every file below it that is data must be in the package byte for byte, and no
other data. Fails with an assertion that says what differs.
"""

import csv
import gzip
import hashlib
import io
import json
import pathlib
import sys
import zipfile

import pyarrow.parquet
import zstandard

EXTENSIONS = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".csv", ".csv.gz", ".csv.zst", ".parquet", ".fxd", ".dbn", ".dbn.zst")


def content(raw):
    """The bytes with the file's own compression undone, told by its first bytes."""
    if raw[:2] == b"\x1f\x8b":
        return gzip.decompress(raw), "gzip"
    if raw[:4] == b"\x28\xb5\x2f\xfd":
        reader = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(raw), read_across_frames=True)
        return reader.read(), "zstd"
    return raw, "none"


def records(entry, raw, text):
    """The number of records, or None where this reader cannot count."""
    if entry["format"] == "jsonl":
        return sum(1 for line in text.split(b"\n") if line.strip())
    if entry["format"] == "csv":
        dialect = entry["csv"]
        rows = csv.reader(io.StringIO(text.decode("utf-8-sig")), delimiter=dialect["delimiter"])
        count = sum(1 for row in rows if row)
        return count - (1 if dialect["hasHeader"] else 0)
    if entry["format"] == "parquet":
        return pyarrow.parquet.read_metadata(io.BytesIO(raw)).num_rows
    return None


def main():
    path = pathlib.Path(sys.argv[1])
    archive = path.read_bytes()
    sidecar = pathlib.Path(str(path) + ".sha256").read_text()
    assert sidecar == f"{hashlib.sha256(archive).hexdigest()}  {path.name}\n", "sidecar"

    package = zipfile.ZipFile(path)
    assert package.testzip() is None
    infos = package.infolist()
    names = [info.filename for info in infos]
    assert names[0] == "manifest.json", names[:3]
    assert len(set(names)) == len(names)
    manifest = json.loads(package.read("manifest.json"))
    assert manifest["packageSizeBytes"] == len(archive), (manifest["packageSizeBytes"], len(archive))

    declared = {entry["path"]: entry for entry in manifest["files"] + manifest["supplementaryFiles"]}
    assert set(declared) == set(names) - {"manifest.json"}
    listing = []
    for name, entry in declared.items():
        raw = package.read(name)
        digest = hashlib.sha256(raw).hexdigest()
        assert entry["checksumSha256"] == digest, name
        assert entry["sizeBytes"] == len(raw), name
        listing.append(f"{digest}  {name}\n")
    root = hashlib.sha256("".join(sorted(listing, key=lambda line: line[66:].encode())).encode()).hexdigest()
    assert manifest["packageChecksum"] == "sha256:" + root

    total = 0
    uncompressed = 0
    stored = {info.filename: info.compress_type == zipfile.ZIP_STORED for info in infos}
    for entry in manifest["files"]:
        raw = package.read(entry["path"])
        text, encoding = content(raw)
        assert entry["compressionType"] == encoding and entry["compressed"] == (encoding != "none"), entry["path"]
        assert entry["uncompressedSizeBytes"] == len(text), entry["path"]
        if encoding != "none":
            assert stored[entry["path"]], f"compressed twice: {entry['path']}"
        count = records(entry, raw, text)
        if count is not None:
            assert entry["eventCount"] == count, (entry["path"], entry["eventCount"], count)
        total += entry["eventCount"] or 0
        uncompressed += len(text)
    assert manifest["totalEvents"] == total
    assert manifest["totalFiles"] == len(manifest["files"])
    assert manifest["uncompressedSizeBytes"] == uncompressed
    assert manifest["symbols"] == sorted({entry["symbol"] for entry in manifest["files"]})
    assert manifest["eventTypes"] == sorted({entry["eventType"] for entry in manifest["files"]})

    if len(sys.argv) > 2:
        source = pathlib.Path(sys.argv[2])
        wanted = sorted(
            hashlib.sha256(file.read_bytes()).hexdigest()
            for file in source.rglob("*")
            if file.is_file() and file.name.lower().endswith(EXTENSIONS)
        )
        assert wanted == sorted(entry["checksumSha256"] for entry in manifest["files"]), "not the same data files"
    print(json.dumps({"files": len(manifest["files"]), "events": total, "members": len(names)}))


main()
