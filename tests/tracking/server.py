"""A W&B server on this machine, as far as the real client needs one: runs, their history, files, artifacts and views.

It answers the client's GraphQL by operation name and keeps what it was sent: every request whole in ``received``,
and what the requests mean in ``runs``, ``artifacts`` and ``views``.
"""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ENTITY = "team"


@dataclass
class Run:
    """What the server knows of a run."""

    variables: dict[str, Any]
    """Of the first ``UpsertBucket``: group, config, tags and so on."""
    history: list[dict[str, Any]] = field(default_factory=list)
    summary: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)
    """Ids of the artifacts that it takes."""
    finished: int = 0
    """How often it ended."""


class Server(ThreadingHTTPServer):
    """``silent``: takes requests and never answers, as a network does that swallows packets."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Call)
        self.received: list[tuple[str, bytes]] = []
        """Path (for GraphQL the operation's name) and body of every request."""
        self.runs: dict[str, Run] = {}
        self.artifacts: dict[str, dict[str, Any]] = {}
        """By id: the input of ``CreateArtifact``, ``state``, ``version`` and ``files``."""
        self.views: dict[str, dict[str, Any]] = {}
        self.mistakes: list[str] = []
        self.silent = threading.Event()
        self.refused = ""
        """Begins the paths of requests (but GraphQL) that are answered with 403."""
        self.headers: list[str] = []
        """Of every request, without the login's."""
        self.ended = threading.Event()
        self.lock = threading.RLock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def asked(self, operation: str) -> list[dict[str, Any]]:
        """The variables of every request of that name."""
        return [json.loads(body)["variables"] for name, body in self.received if name == operation]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests; a mistake of this server is not."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self.mistakes.append(repr(error))

    def answer(self, operation: str, said: dict[str, Any]) -> dict[str, Any]:
        """The ``data`` of a GraphQL answer. An operation that is not known has none."""
        act = getattr(self, f"_{operation}", None)
        return {} if act is None else act(said)

    def _Viewer(self, said: dict[str, Any]) -> dict[str, Any]:
        person = {"id": "1", "entity": ENTITY, "username": "somebody", "email": "", "flags": "{}", "admin": False}
        return {"viewer": {**person, "teams": {"edges": []}}}

    def _GetDefaultEntity(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"viewer": {"id": "1", "entity": ENTITY}}

    def _GetProjects(self, said: dict[str, Any]) -> dict[str, Any]:
        names = dict.fromkeys(run.variables["project"] for run in self.runs.values())
        more = {"createdAt": "2026-11-20", "isBenchmark": False, "user": None}
        nodes = [{"node": {"id": name, "name": name, "entityName": ENTITY, **more}} for name in names]
        return {"models": {"pageInfo": {"endCursor": None, "hasNextPage": False}, "edges": nodes}}

    def _ProjectInternalId(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"project": {"id": said["projectName"], "internalId": "cDE="}}

    def _ServerFeaturesQuery(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"serverInfo": {"features": []}}

    def _RunResumeStatus(self, said: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(said["name"])
        if run is None:
            return {"model": None}
        bucket = {
            "id": said["name"],
            "name": said["name"],
            "displayName": run.variables.get("displayName"),
            "summaryMetrics": json.dumps(run.summary),
            "config": run.variables.get("config") or "{}",
            "logLineCount": 0,
            "historyLineCount": len(run.history),
            "eventsLineCount": 0,
            "historyTail": json.dumps([json.dumps(line) for line in run.history[-1:]]),
            "eventsTail": "[]",
            "tags": run.variables.get("tags") or [],
            "notes": None,
            "wandbConfig": '{"t": 1}',
        }
        return {"model": {"id": "p", "name": said["project"], "entity": {"id": "e", "name": ENTITY}, "bucket": bucket}}

    def _UpsertBucket(self, said: dict[str, Any]) -> dict[str, Any]:
        new = said["name"] not in self.runs
        run = self.runs.setdefault(said["name"], Run({}))
        run.variables |= {key: value for key, value in said.items() if value is not None}
        project = {"id": "p", "name": said["project"], "entity": {"id": "e", "name": ENTITY}}
        bucket = {"id": said["name"], "name": said["name"], "displayName": said.get("displayName"), "project": project}
        more = {"description": None, "config": said.get("config"), "sweepName": None, "historyLineCount": 0}
        return {"upsertBucket": {"bucket": {**bucket, **more}, "inserted": new}}

    def _ArtifactType(self, said: dict[str, Any]) -> dict[str, Any]:
        return {"project": None}

    def _UpsertView2(self, said: dict[str, Any]) -> dict[str, Any]:
        return self._upsertView(said)

    def _upsertView(self, said: dict[str, Any]) -> dict[str, Any]:
        key = said.get("id") or f"view-{len(self.views)}"
        self.views[key] = said
        project = {"id": "p", "name": said["projectName"], "entityName": said["entityName"]}
        view = {"id": key, "project": project, "updatedAt": None, **said}
        return {"upsertView": {"view": {**view, "id": key}, "inserted": True}}

    def _View(self, said: dict[str, Any]) -> dict[str, Any]:
        asked = said["entityName"], said["projectName"], said["viewName"]
        found = [
            {"node": {"id": key, "displayName": view["displayName"], "spec": view["spec"]}}
            for key, view in self.views.items()
            if (view["entityName"], view["projectName"], view["name"]) == asked
        ]
        return {"project": {"allViews": {"edges": found}} if found or self.runs else None}

    def _Run(self, said: dict[str, Any]) -> dict[str, Any]:
        run = self.runs.get(said["name"])
        if run is None:
            return {"project": {"run": None}}
        found = {"projectId": "1", "id": said["name"], "name": said["name"], "state": "finished", "config": "{}"}
        more = {"displayName": run.variables.get("displayName"), "historyLineCount": len(run.history)}
        return {
            "project": {"run": {**found, **more, "summaryMetrics": json.dumps(run.summary), "user": {"username": "u"}}}
        }

    def _CreateRunFiles(self, said: dict[str, Any]) -> dict[str, Any]:
        files = [{"name": name, "uploadUrl": f"{self.url}/run/{said['run']}/{name}"} for name in said["files"]]
        return {"createRunFiles": {"runID": said["run"], "uploadHeaders": [], "files": files}}

    def _CreateArtifact(self, said: dict[str, Any]) -> dict[str, Any]:
        told = said["input"]
        name = told["artifactCollectionName"]
        known = self.artifacts.items()
        found = [key for key, one in known if (one["collection"], one["digest"]) == (name, told["digest"])]
        if found and self.artifacts[found[0]]["state"] == "COMMITTED":
            key = found[0]
        else:
            key = f"artifact-{len(self.artifacts)}"
            version = sum(one["collection"] == name for one in self.artifacts.values())
            self.artifacts[key] = {**told, "collection": name, "state": "PENDING", "version": version, "files": {}}
        return {"createArtifact": {"artifact": self._artifact(key)}}

    def _artifact(self, key: str) -> dict[str, Any]:
        one = self.artifacts[key]
        return {"id": key, "state": one["state"], "digest": one["digest"], "artifactSequence": {"latestArtifact": None}}

    def _ArtifactByID(self, said: dict[str, Any]) -> dict[str, Any]:
        one = self.artifacts[said["id"]]
        project = {"id": "p", "internalId": "p", "name": one["projectName"], "entity": {"name": ENTITY}}
        return {"artifact": {
            "id": said["id"], "artifactSequence": {"name": one["collection"], "project": project},
            "versionIndex": one["version"], "artifactType": {"name": one["artifactTypeName"]}, "description": None,
            "metadata": one.get("metadata"), "ttlDurationSeconds": -2, "ttlIsInherited": True, "tags": [],
            "historyStep": None, "state": one["state"], "size": 1, "digest": one["digest"],
            "digestAlgorithm": "MANIFEST_MD5", "commitHash": "c", "fileCount": 1, "createdAt": "2026-11-20T09:14:03",
            "updatedAt": None, "aliases": [],
        }}  # fmt: skip

    def _CreateArtifactManifest(self, said: dict[str, Any]) -> dict[str, Any]:
        key = said["artifactID"]
        file = {"id": "f", "name": said["name"], "displayName": said["name"], "uploadUrl": None, "uploadHeaders": []}
        if said.get("includeUpload"):
            file["uploadUrl"] = f"{self.url}/artifact/{key}/{said['name']}"
        return {"createArtifactManifest": {"artifactManifest": {"id": f"{key}-manifest", "file": file}}}

    def _CreateArtifactFiles(self, said: dict[str, Any]) -> dict[str, Any]:
        nodes = []
        for spec in said["input"]["artifactFiles"]:
            address = f"{self.url}/artifact/{spec['artifactID']}/{spec['name']}"
            artifact = {"id": spec["artifactID"]}
            nodes.append({"node": {
                "id": spec["name"], "name": spec["name"], "displayName": spec["name"], "uploadUrl": address,
                "uploadHeaders": [], "artifact": artifact, "storagePath": spec["name"], "uploadMultipartUrls": None,
            }})  # fmt: skip
        return {"createArtifactFiles": {"files": {"edges": nodes}}}

    def _CommitArtifact(self, said: dict[str, Any]) -> dict[str, Any]:
        self.artifacts[said["artifactID"]]["state"] = "COMMITTED"
        return {"commitArtifact": {"artifact": self._artifact(said["artifactID"])}}

    def _UseArtifact(self, said: dict[str, Any]) -> dict[str, Any]:
        told = said["input"]
        self.runs[told["runName"]].used.append(told["artifactID"])
        return {"useArtifact": {"artifact": {"id": told["artifactID"]}}}


class Call(BaseHTTPRequestHandler):
    """One HTTP request."""

    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = self._body()
        if self._refused():
            return
        if self.path == "/graphql":
            asked = json.loads(body)
            name = re.search(r"(?:query|mutation)\s+(\w+)", asked["query"])
            operation = name.group(1) if name else asked["query"]
            with self.server.lock:
                self._note(operation, body)
                self._say({"data": self.server.answer(operation, asked.get("variables") or {})})
            return
        self._note(self.path, body)
        if found := re.fullmatch(r"/files/[^/]+/[^/]+/([^/]+)/file_stream", self.path):
            with self.server.lock:
                self._stream(self.server.runs[found.group(1)], json.loads(body))
        self._say({})

    def _stream(self, run: Run, sent: dict[str, Any]) -> None:
        for name, part in sent.get("files", {}).items():
            lines = [json.loads(line) for line in part["content"] if line.strip().startswith("{")]
            if name == "wandb-history.jsonl":
                run.history[part["offset"] :] = lines
            if name == "wandb-summary.json":
                run.summary = lines[-1]
        run.finished += bool(sent.get("complete"))

    def do_PUT(self) -> None:
        body = self._body()
        if self._refused():
            return
        self._note(self.path, body)
        kind, key, name = self.path.lstrip("/").split("/", 2)
        with self.server.lock:
            (self.server.runs[key].files if kind == "run" else self.server.artifacts[key]["files"])[name] = body
        self._say({})

    def do_GET(self) -> None:
        self._note(self.path, b"")
        self._say({})

    def _body(self) -> bytes:
        if self.server.silent.is_set():
            self.server.ended.wait()
        import gzip

        raw = self.rfile.read(int(self.headers["Content-Length"] or 0))
        return gzip.decompress(raw) if self.headers["Content-Encoding"] == "gzip" else raw

    def _refused(self) -> bool:
        refused = bool(self.server.refused) and self.path.startswith(self.server.refused)
        if refused:
            self.send_response(403)
            self.send_header("Content-Length", "0")
            self.end_headers()
        return refused

    def _note(self, what: str, body: bytes) -> None:
        self.server.headers += [f"{key}: {value}" for key, value in self.headers.items() if key != "Authorization"]
        self.server.received.append((what, body))

    def _say(self, data: dict[str, Any]) -> None:
        text = json.dumps(data).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: Any) -> None:
        """Silent."""


@contextmanager
def serving() -> Iterator[Server]:
    """A running server, gone afterwards."""
    server = Server()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name="wandb-server")
    thread.start()
    try:
        yield server
    finally:
        server.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()
