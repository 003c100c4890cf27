"""What somebody with nothing but Python's own library would write: pack with digests, check them, unpack."""

import hashlib
import json
import os
import sys
import zipfile


def create(root, target):
    digests = []
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for directory, _, names in sorted(os.walk(root)):
            for name in sorted(names):
                path = os.path.join(directory, name)
                member = os.path.relpath(path, root)
                with open(path, "rb") as file:
                    data = file.read()
                digests.append({"path": member, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()})
                archive.writestr(zipfile.ZipInfo.from_file(path, member), data, zipfile.ZIP_DEFLATED, 6)
        archive.writestr("digests.json", json.dumps(digests))


def validate(package):
    with zipfile.ZipFile(package) as archive:
        for file in json.loads(archive.read("manifest.json"))["files"]:
            digest = hashlib.sha256()
            with archive.open(file["path"]) as member:
                while block := member.read(1 << 20):
                    digest.update(block)
            if digest.hexdigest() != file["checksumSha256"]:
                sys.exit(f"{file['path']}: another digest")


def extract(package, target):
    with zipfile.ZipFile(package) as archive:
        archive.extractall(target)


{"create": create, "validate": validate, "extract": extract}[sys.argv[1]](*sys.argv[2:])
