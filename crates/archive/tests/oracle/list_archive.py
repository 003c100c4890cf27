#!/usr/bin/env python3
"""Archives by Python's standard library: `list DIRECTORY` lists those in a directory, `make DIRECTORY` writes some."""

import hashlib
import io
import sys
import tarfile
import zipfile
from pathlib import Path

MEMBERS = [
    ("manifest.json", b'{"packageVersion":"1.0.0"}\n'),
    ("data/a/one.jsonl", b"".join(b'{"n":%d,"price":%d.25}\n' % (i, 100 + i % 7) for i in range(40))),
    ("data/a/empty.jsonl", b""),
    ("data/b/block.bin", bytes(range(256)) * 2),
    ("data/b/\u00fcn\u00ef c\u00f6d\u00e9.csv", b"a,b\n1,2\n"),
    ("data/" + "l" * 60 + "/" + "n" * 70 + ".csv", b"a,b\n3,4\n"),
]


class Stream(io.RawIOBase):
    """Can only be written from front to back."""

    def __init__(self):
        self.bytes = bytearray()

    def writable(self):
        return True

    def write(self, data):
        self.bytes += data
        return len(data)


def make_tar(path, form, directories):
    with tarfile.open(path, "w", format=form) as tar:
        for name in ("data", "data/a") if directories else ():
            info = tarfile.TarInfo(name)
            info.type, info.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(info)
        for name, body in MEMBERS:
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(body), 1704283200
            if form == tarfile.PAX_FORMAT and "a/" in name:
                info.pax_headers = {"comment": "a comment", "mtime": "1704283200.25"}
            tar.addfile(info, io.BytesIO(body))


def make_zip(file, directories, wide, method):
    with zipfile.ZipFile(file, "w", method) as archive:
        if directories:
            archive.writestr(zipfile.ZipInfo("data/"), b"")
        for name, body in MEMBERS:
            info = zipfile.ZipInfo(name, (2024, 1, 3, 12, 0, 0))
            info.compress_type, info.external_attr = method, 0o100644 << 16
            with archive.open(info, "w", force_zip64=wide) as member:
                member.write(body)


def make(home):
    make_tar(home / "pax.tar", tarfile.PAX_FORMAT, True)
    make_tar(home / "gnu.tar", tarfile.GNU_FORMAT, True)
    make_tar(home / "ustar.tar", tarfile.USTAR_FORMAT, False)
    make_zip(home / "plain.zip", True, False, zipfile.ZIP_DEFLATED)
    make_zip(home / "wide.zip", False, True, zipfile.ZIP_STORED)
    stream = Stream()
    make_zip(stream, False, False, zipfile.ZIP_DEFLATED)
    (home / "streamed.zip").write_bytes(stream.bytes)


def zip_members(path):
    with zipfile.ZipFile(path) as archive:
        for info in sorted(archive.infolist(), key=lambda info: info.header_offset):
            if not info.is_dir():
                yield info.filename, info.file_size, archive.read(info)


def tar_members(path):
    with tarfile.open(path, "r:gz") as archive:
        for info in archive:
            name = info.name.removeprefix("./")
            if info.isreg():
                yield name, info.size, archive.extractfile(info).read()
            elif not info.isdir():
                yield f"{name} (of type {info.type})", info.size, b""


def describe(path):
    """A line for each member, or one that says why there are none."""
    lines = []
    try:
        for name, size, body in (zip_members if path.suffix == ".zip" else tar_members)(path):
            if size != len(body):
                raise ValueError(f"{len(body)} bytes of {name}, listed with {size}")
            lines.append(f"{size}\t{hashlib.sha256(body).hexdigest()}\t{name}")
    except Exception as error:  # whatever it stumbles over is a difference
        return [f"! {type(error).__name__}: {error}".replace("\n", " ")]
    return lines


def main(arguments):
    if len(arguments) != 2 or arguments[0] not in ("list", "make"):
        sys.exit("usage: list_archive.py list|make DIRECTORY")
    home = Path(arguments[1])
    if arguments[0] == "make":
        make(home)
        return
    sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace", newline="\n")
    for path in sorted(home.iterdir()):
        print(f"= {path.name}")
        for line in describe(path):
            print(line)


if __name__ == "__main__":
    main(sys.argv[1:])
