"""Asks a server a great many things, sensible ones and others: `soak.py URL PID REQUESTS THREADS SEED`.

What is asked comes from the server's own OpenAPI document: its routes with good, odd and hostile values. Prints a line of
JSON for each tenth of the requests: how many there were, what memory and descriptors the server has, how often each status was
answered, and every answer that the document does not know.
"""

import http.client
import json
import random
import sys
import threading
import urllib.parse

URL, PID, REQUESTS, THREADS, SEED = sys.argv[1], *map(int, sys.argv[2:])
HOST = urllib.parse.urlsplit(URL).netloc

ODD = [
    "", " ", ".", "..", "../x.zip", "/etc/passwd", "x" * 300, "%2e%2e", "nul", "con.zip", "a\\b.zip", "\u00e9.zip", "\U0001f600.zip",
    "a/b/c.zip", "no-such.zip", ".hidden.zip", "x.zip\x00", "<script>.zip", "soak_20240103_120000.tar.gz",
]
BODIES = [
    b"", b"{", b"[]", b"null", b"{}x", b'{"name":1}', b'{"name":"a","name":"b"}', b'{"unknown":true}', b'{"symbols":["ZZZ"]}',
    b'{"startDate":"2024-13-01"}', b'{"packagePath":"../x"}', b'{"customMetadata":' + b"[" * 500 + b"]" * 500 + b"}", b"\xff\xfe",
]


class Client:
    """One thread's connection, its random numbers, and what it was answered."""

    def __init__(self, seed, document, member):
        self.random = random.Random(seed)
        self.connection = None
        self.document = document
        self.member = member
        self.statuses = {}
        self.strange = []
        self.operations = [
            (method.upper(), path, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]

    def ask(self, method, target, body=None, headers=None, operation=None, keep=False):
        headers = dict(headers or {})
        for attempt in (0, 1):
            try:
                if self.connection is None:
                    self.connection = http.client.HTTPConnection(HOST, timeout=120)
                self.connection.request(method, target, body, headers)
                answer = self.connection.getresponse()
                data = answer.read()
                break
            except (ConnectionError, http.client.HTTPException):
                # A connection that the server has closed meanwhile, as it may.
                self.connection.close()
                self.connection = None
                if attempt:
                    self.note("closed", method, target, None)
                    return None, b""
        if answer.will_close:
            self.connection.close()
            self.connection = None
        self.note(answer.status, method, target, operation)
        return answer.status, data

    def note(self, status, method, target, operation):
        self.statuses[status] = self.statuses.get(status, 0) + 1
        known = operation is None or str(status) in operation["responses"]
        if status == "closed" or status >= 500 or not known:
            self.strange.append(f"{method} {target[:200]}: {status}")

    def json(self, method, target, value, **more):
        body = json.dumps(value).encode()
        return self.ask(method, target, body, {"Content-Type": "application/json"}, **more)

    def name(self):
        return f"soak-{self.random.randrange(8)}_20240103_120000.zip"

    def quoted(self, text):
        return urllib.parse.quote(text, safe="")

    def step(self):
        """One thing, or a few that belong together."""
        roll = self.random.random()
        if roll < 0.45:
            self.read()
        elif roll < 0.80:
            self.wild()
        elif roll < 0.90:
            self.download()
        elif roll < 0.93:
            self.make()
        elif roll < 0.96:
            self.json("POST", "/api/packaging/validate", {"packagePath": self.name(), "deep": roll < 0.945})
        elif roll < 0.98:
            self.follow()
        elif roll < 0.99:
            # Where no data is looked for, or packages would grow with every round.
            self.json("POST", "/api/packaging/import", {"packagePath": self.name(), "destinationDirectory": f"_quarantine/{self.random.randrange(4)}"})
        elif roll < 0.997:
            self.upload()
        else:
            self.ask("DELETE", f"/api/packaging/{self.name()}")

    def read(self):
        name = self.quoted(self.name())
        self.ask("GET", self.random.choice([
            "/", "/health", "/api/docs", "/api/openapi.json", "/api/packaging/list", "/api/packaging/data", "/api/jobs", "/api/session",
            f"/api/packaging/contents?path={name}", f"/api/packaging/quality?path={name}",
            f"/api/packaging/quality?path={name}&format=html", f"/api/packaging/member?path={name}&member={self.quoted(self.member)}",
        ]))

    def wild(self):
        """An operation of the document with values that may be anything."""
        method, path, operation = self.random.choice(self.operations)
        if method == "POST" and path == "/api/packaging/create" and self.random.random() < 0.9:
            return self.read()
        query, headers = [], {}
        for parameter in operation.get("parameters", []):
            value = self.random.choice([parameter.get("example", "1.0.0"), self.random.choice(ODD), self.name()])
            if parameter["in"] == "path":
                path = path.replace("{" + parameter["name"] + "}", self.quoted(value))
            elif parameter["in"] == "query" and self.random.random() < 0.9:
                query.append(f"{parameter['name']}={self.quoted(value)}")
            elif parameter["in"] == "header" and self.random.random() < 0.5:
                headers[parameter["name"]] = value.encode("latin-1", "replace").replace(b"\x00", b"").decode("latin-1").strip()
        body = None
        if "requestBody" in operation:
            content = list(operation["requestBody"]["content"].items())
            kind, described = self.random.choice(content)
            headers["Content-Type"] = self.random.choice([kind, kind, "text/plain"])
            example = json.dumps(described["example"]).encode() if "example" in described else b"bytes"
            body = self.random.choice([example, *BODIES])
            # Not these: the example is made whole in `make`.
            if path.startswith("/api/packaging/create") and body == example:
                body = b"{"
        target = path + ("?" + "&".join(query) if query else "")
        if method == "GET" and path.endswith("/events"):
            operation = None
        # Methods that it does not have are answered by the router, which the document does not describe.
        if self.random.random() < 0.05:
            method, operation = self.random.choice(["PUT", "PATCH", "OPTIONS", "TRACE", "BREW"]), None
        self.ask(method, target, body, headers, operation)

    def download(self):
        ranges = ["bytes=0-99", "bytes=-100", "bytes=5-", "bytes=0-9,20-29", "bytes=999999999-", "bytes=a-b", None]
        wanted = self.random.choice(ranges)
        suffix = "?as=tar.gz" if self.random.random() < 0.2 else ""
        self.ask("GET", f"/api/packaging/download/{self.quoted(self.name())}{suffix}", headers={"Range": wanted} if wanted else {})

    def make(self):
        stem = self.name().split("_")[0]
        self.json("POST", "/api/packaging/create", {
            "name": stem, "createdAt": "2024-01-03T12:00:00Z", "symbols": ["MSFT"], "compressionLevel": "fast",
        })

    def follow(self):
        status, body = self.json("POST", "/api/packaging/validate?async=true", {"packagePath": self.name()})
        if status == 202:
            job = json.loads(body)["id"]
            self.ask("GET", f"/api/jobs/{job}/events")
            self.ask("DELETE", f"/api/jobs/{job}")

    def upload(self):
        status, package = self.ask("GET", f"/api/packaging/download/{self.name()}")
        if status == 200:
            name = f"up-{self.random.randrange(10 ** 9)}.zip"
            kind = {"Content-Type": "application/zip"}
            damaged = self.random.random() < 0.3
            body = package[: len(package) // 2] if damaged else package
            self.ask("POST", f"/api/packaging/upload?fileName={name}", body, kind)
            self.ask("DELETE", f"/api/packaging/{name}")


def server():
    import os

    with open(f"/proc/{PID}/status") as file:
        fields = dict(line.split(":", 1) for line in file)
    return {
        "rss": int(fields["VmRSS"].split()[0]) * 1024,
        "threads": int(fields["Threads"]),
        "descriptors": len(os.listdir(f"/proc/{PID}/fd")),
    }


def main():
    first = Client(SEED, {"paths": {}}, "")
    document = json.loads(first.ask("GET", "/api/openapi.json")[1])
    for number in range(8):
        status, made = first.json("POST", "/api/packaging/create", {
            "name": f"soak-{number}", "createdAt": "2024-01-03T12:00:00Z", "symbols": ["MSFT"],
        })
        assert status == 201, made
    contents = json.loads(first.ask("GET", "/api/packaging/contents?path=soak-0_20240103_120000.zip")[1])
    clients = [Client(SEED + n, document, contents["files"][0]["path"]) for n in range(THREADS)]

    def total():
        return sum(sum(client.statuses.values()) for client in clients)

    for tenth in range(1, 11):
        until = REQUESTS * tenth // 10

        def work(client):
            while total() < until:
                client.step()
            if client.connection:
                client.connection.close()
                client.connection = None

        threads = [threading.Thread(target=work, args=(client,)) for client in clients]
        [thread.start() for thread in threads]
        [thread.join() for thread in threads]
        statuses = {}
        for client in clients:
            for status, count in client.statuses.items():
                statuses[str(status)] = statuses.get(str(status), 0) + count
        strange = [text for client in clients for text in client.strange]
        print(json.dumps({"requests": total(), "server": server(), "statuses": statuses, "strange": strange[:20], "strangers": len(strange)}), flush=True)


main()
