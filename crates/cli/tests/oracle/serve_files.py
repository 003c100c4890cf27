"""Packages over HTTP as other programs exchange them: python serve_files.py URL PACKAGE WORK TAR

URL is a server without that package, WORK an empty directory, TAR the program GNU tar. Prints what was done as JSON.
"""

import email.parser
import hashlib
import io
import json
import pathlib
import random
import socket
import subprocess
import sys
import tarfile
import urllib.parse
import zipfile

import requests
from tusclient import client

url, package, work, tar = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3]), sys.argv[4]
content = package.read_bytes()
uploads = f"{url}/api/packaging/upload"
done = {}


def torn_piece(address, offset, body):
    """Announces everything that is left, sends a part of it and hangs up."""
    parts = urllib.parse.urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port)) as connection:
        head = (
            f"PATCH {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\nTus-Resumable: 1.0.0\r\nUpload-Offset: {offset}\r\n"
            f"Content-Type: application/offset+octet-stream\r\nContent-Length: {len(content) - offset}\r\n\r\n"
        )
        connection.sendall(head.encode() + body)


def offset_of(address):
    """The offset, asked until nobody else works on the upload."""
    while True:
        elsewhere = {"Tus-Resumable": "1.0.0", "Upload-Offset": "999999999999", "Content-Type": "application/offset+octet-stream"}
        if requests.patch(address, headers=elsewhere).status_code != 423:
            answer = requests.head(address, headers={"Tus-Resumable": "1.0.0"})
            assert answer.headers["Cache-Control"] == "no-store"
            return int(answer.headers["Upload-Offset"])


def resumed(name, checksum):
    tus = client.TusClient(uploads)
    piece = len(content) // 10 + 1
    first = tus.uploader(str(package), chunk_size=piece, metadata={"filename": name}, upload_checksum=checksum)
    first.upload(stop_at=len(content) // 2)
    assert len(content) // 2 <= first.offset < len(content), first.offset
    assert offset_of(first.url) == first.offset
    torn_piece(first.url, first.offset, content[first.offset : first.offset + len(content) // 4])
    kept = offset_of(first.url)
    assert first.offset <= kept < len(content), kept
    again = tus.uploader(str(package), chunk_size=piece, url=first.url, metadata={"filename": name}, upload_checksum=checksum)
    assert again.offset == kept, (again.offset, kept)
    again.upload()
    assert again.offset == len(content)
    done[name] = kept - first.offset


def whole(name):
    with package.open("rb") as body:
        answer = requests.post(uploads, params={"fileName": name}, data=body, headers={"Content-Type": "application/zip"})
    assert answer.status_code == 201, answer.text
    assert answer.json()["sizeBytes"] == len(content)
    location = urllib.parse.urljoin(url, answer.headers["Location"])
    assert requests.get(location).content == content
    taken = requests.post(uploads, params={"fileName": name}, data=content, headers={"Content-Type": "application/zip"})
    assert taken.status_code == 409, taken.text
    return location


def assembled(location):
    """The file put together from ranges that are asked for in any order, some of them several at a time."""
    etag = requests.head(location).headers["ETag"]
    cuts = sorted({0, len(content), *random.Random(7).sample(range(1, len(content)), 40)})
    spans = list(zip(cuts, cuts[1:]))
    random.Random(8).shuffle(spans)
    out = bytearray(len(content))
    while spans:
        batch, spans = spans[:5], spans[5:]
        ranges = ",".join(f"{start}-{end - 1}" for start, end in batch)
        answer = requests.get(location, headers={"Range": f"bytes={ranges}", "If-Range": etag})
        assert answer.status_code == 206, answer.status_code
        kind = answer.headers["Content-Type"]
        if kind.startswith("multipart/byteranges"):
            parts = split(answer.content, kind)
        else:
            parts = [(answer.headers["Content-Range"], answer.content)]
        for where, body in parts:
            start, end = (int(number) for number in where.removeprefix("bytes ").split("/")[0].split("-"))
            assert end - start + 1 == len(body), (where, len(body))
            out[start : end + 1] = body
    assert bytes(out) == content
    done["ranges"] = len(cuts) - 1
    other = requests.get(location, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert other.status_code == 200 and other.content == content


def split(body, kind):
    """The parts between the boundaries: the range that each is, and its bytes."""
    boundary = kind.split("boundary=")[1].encode()
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary)
    assert pieces[0] == b"" and pieces[-1] == b"--\r\n", (pieces[0], pieces[-1])
    parts = []
    for piece in pieces[1:-1]:
        head, content = piece.split(b"\r\n\r\n", 1)
        fields = email.parser.BytesHeaderParser().parsebytes(head.removeprefix(b"\r\n"))
        parts.append((fields["Content-Range"], content))
    return parts


def repacked(location):
    """The package as a stream of TAR.GZ, unpacked by two programs; the members are those of the ZIP."""
    with zipfile.ZipFile(package) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    stream = requests.get(location, params={"as": "tar.gz"}).content
    with tarfile.open(fileobj=io.BytesIO(stream), mode="r:gz") as archive:
        got = {entry.name: archive.extractfile(entry).read() for entry in archive if entry.isfile()}
    assert got == members, set(got) ^ set(members)
    out = work / "unpacked"
    out.mkdir()
    subprocess.run([tar, "-xzf", "-", "-C", str(out)], input=stream, check=True)
    got = {str(path.relative_to(out)): path.read_bytes() for path in out.rglob("*") if path.is_file()}
    assert got == members, set(got) ^ set(members)
    done["members"] = len(members)
    for name, body in members.items():
        answer = requests.get(f"{url}/api/packaging/member", params={"path": "whole.zip", "member": name})
        assert answer.status_code == 200 and answer.content == body, name
        if name != "manifest.json":
            assert answer.headers["ETag"] == f'"{hashlib.sha256(body).hexdigest()}"', name


resumed("resumed.zip", checksum=False)
resumed("checked.zip", checksum=True)
location = whole("whole.zip")
for name in ["resumed.zip", "checked.zip"]:
    answer = requests.get(f"{url}/api/packaging/download/{name}")
    assert answer.content == content, name
    sidecar = requests.get(f"{url}/api/packaging/download/{name}.sha256").text
    assert sidecar == f"{hashlib.sha256(content).hexdigest()}  {name}\n", sidecar
assembled(location)
repacked(location)
for name in ["resumed.zip", "checked.zip", "whole.zip"]:
    assert requests.delete(f"{url}/api/packaging/{name}").status_code == 204
assert requests.get(f"{url}/api/packaging/list").json() == {"packages": []}
print(json.dumps(done))
