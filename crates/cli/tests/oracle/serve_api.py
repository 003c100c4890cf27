"""Does what the documentation of the HTTP interface says, with curl and with requests: `serve_api.py URL HOME`.

HOME has the directories `data` and `packages` that the server serves. Prints what came back.
"""

import hashlib
import io
import json
import pathlib
import subprocess
import sys
import zipfile

import requests

CREATE = {
    "name": "my-package",
    "description": "Research data for Q1 2024",
    "symbols": ["AAPL", "MSFT"],
    "eventTypes": ["Trade", "BboQuote"],
    "startDate": "2024-01-01",
    "endDate": "2024-03-31",
    "format": "zip",
    "compressionLevel": "balanced",
    "includeQualityReport": True,
    "includeLoaderScripts": True,
}


def curl(method, url, body=None):
    command = ["curl", "--silent", "--show-error", "--max-time", "60", "--request", method, url]
    command += ["--write-out", "\n%{http_code}"]
    if body is not None:
        command += ["--header", "Content-Type: application/json", "--data", json.dumps(body)]
    text, status = subprocess.run(command, check=True, capture_output=True).stdout.rsplit(b"\n", 1)
    return int(status), text


def python(method, url, body=None):
    answer = requests.request(method, url, json=body, timeout=60)
    return answer.status_code, answer.content


def journey(ask, base, home, absolute):
    api = base + "api/packaging/"
    done = {}

    def step(name, status, text):
        done[name] = {"status": status, "answer": json.loads(text)}
        return done[name]["answer"]

    made = step("create", *ask("POST", api + "create", CREATE))
    name = made["packagePath"]
    path = str(home / "packages" / name) if absolute else name
    place = str(home / "data" / "imported") if absolute else "imported"
    step("import", *ask("POST", api + "import",
                        {"packagePath": path, "destinationDirectory": place, "validateChecksums": True}))
    step("validate", *ask("POST", api + "validate", {"packagePath": path}))
    step("contents", *ask("GET", api + "contents?path=" + path))
    step("list", *ask("GET", api + "list"))
    status, archive = ask("GET", api + "download/" + name)
    on_disk = (home / "packages" / name).read_bytes()
    with zipfile.ZipFile(io.BytesIO(archive)) as package:
        bad = package.testzip()
        manifest = json.loads(package.read("manifest.json"))
    done["download"] = {
        "status": status,
        "same": archive == on_disk,
        "sha256": hashlib.sha256(archive).hexdigest(),
        "bad": bad,
        "totalEvents": manifest["totalEvents"],
    }
    return done


def main(base, home):
    home = pathlib.Path(home)
    return {
        "curl": journey(curl, base, home, absolute=False),
        "requests": journey(python, base, home, absolute=True),
    }


if __name__ == "__main__":
    json.dump(main(*sys.argv[1:]), sys.stdout)
