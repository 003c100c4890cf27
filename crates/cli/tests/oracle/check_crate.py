"""Holds a folder against RO-Crate: roc-validator's required checks, and what ro-crate-py reads from it.

No network: the one thing on it that is asked for, the RO-Crate 1.1 context, is the copy that ro-crate-py brings.
"""

import hashlib
import json
import sys
from pathlib import Path

import requests
import rocrate
from requests.adapters import HTTPAdapter
from rocrate.rocrate import ROCrate

CONTEXT = "https://w3id.org/ro/crate/1.1/context"
copy = (Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_bytes()
assert json.loads(copy)["@id"] == CONTEXT, "this ro-crate-py brings another version of the context"


def send(self, request, **_):
    """Answers for the network."""
    if request.url != CONTEXT:
        raise requests.ConnectionError(f"no network in tests: {request.url}")
    response = requests.Response()
    response.status_code = 200
    response.url = request.url
    response.request = request
    response.headers["Content-Type"] = "application/ld+json"
    response._content = copy
    return response


HTTPAdapter.send = send

from rocrate_validator import models, services  # noqa: E402


def findings(folder):
    settings = services.ValidationSettings(
        rocrate_uri=str(folder),
        profile_identifier="ro-crate-1.1",
        requirement_severity=models.Severity.REQUIRED,
        no_cache=True,
    )
    result = services.validate(settings)
    return [f"{issue.check.identifier}: {issue.message}" for issue in result.get_issues()]


folder = Path(sys.argv[1]).resolve()
crate = ROCrate(str(folder))
files = {}
for entity in crate.data_entities:
    if entity.type == "File":
        path = folder / requests.utils.unquote(entity.id)
        data = path.read_bytes()
        same = int(entity["contentSize"]) == len(data) and entity["sha256"] == hashlib.sha256(data).hexdigest()
        files[str(path.relative_to(folder))] = same
json.dump(
    {
        "findings": findings(folder),
        "name": crate.name,
        "license": crate.license["name"],
        "files": files,
    },
    sys.stdout,
)
