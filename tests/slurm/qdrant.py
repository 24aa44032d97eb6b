"""Stands for the Qdrant server in the test of its job: the calls that the script makes, points without a search.

There is no package of the server itself. Variables, options and paths are those of Qdrant 1.15.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

STORED = Path(os.environ["QDRANT__STORAGE__STORAGE_PATH"]) / "points.json"
SNAPSHOTS = Path(os.environ["QDRANT__STORAGE__SNAPSHOTS_PATH"])


class Call(BaseHTTPRequestHandler):
    """One HTTP request."""

    def say(self, status: int, text: str) -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def do_GET(self) -> None:
        known = {"/readyz": "all shards are ready", "/points": STORED.read_text() if STORED.exists() else "[]"}
        self.say(200 if self.path in known else 404, known.get(self.path, ""))

    def do_POST(self) -> None:
        if self.headers["api-key"] != os.environ.get("QDRANT__SERVICE__API_KEY"):
            return self.say(401, "")
        if self.path == "/points":
            STORED.write_bytes(self.rfile.read(int(self.headers["Content-Length"])))
            return self.say(200, "{}")
        shutil.copy(STORED, SNAPSHOTS / "full-snapshot-1.snapshot")
        return self.say(200, json.dumps({"result": {"name": "full-snapshot-1.snapshot", "size": 1}, "status": "ok"}))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--storage-snapshot"]:
        shutil.copy(sys.argv[2], STORED)
    ThreadingHTTPServer(("127.0.0.1", int(os.environ["QDRANT__SERVICE__HTTP_PORT"])), Call).serve_forever()
