"""Qdrant: the engine in this process, tried, and the server that the config names, asked."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path

from bench.checkup.base import About, Finding, State
from bench.checkup.web import ask, shown
from systems.knowledge.server_index import API_KEY

NAME = "Qdrant"
ESSENTIAL = True


def look(about: About) -> list[Finding]:
    address = about.part("index").get("url")
    return [_embedded(needed=not address), _server(str(address) if address else "", about.settings.patience)]


def _embedded(needed: bool) -> Finding:
    """An index of two chunks, built and searched."""
    from importlib.metadata import version

    from systems.base import Chunk
    from systems.knowledge.edge_index import EdgeIndex

    chunks = [Chunk(id=text, document=text, text=text) for text in ("apples grow", "stones lie")]
    with tempfile.TemporaryDirectory() as place:
        index = EdgeIndex(Path(place) / "index")
        index.sync(chunks, None)
        hits = index.search("stones", None, "sparse", 1)
        index.close()
    right = [hit.chunk.id for hit in hits] == ["stones lie"]
    return Finding(
        name="Qdrant",
        state=State.OK if right else State.BROKEN,
        found=f"in this process, {version('qdrant-edge-py')}" + ("" if right else ": does not find what it holds"),
        fix="" if right else "pip install --no-deps -r requirements/cpu.lock",
        needed=needed,
    )


def _server(address: str, patience: float) -> Finding:
    name = "Qdrant server"
    if not address:
        return Finding(name=name, state=State.NOT_NEEDED, found="the index is in this process")
    place = shown(address)
    key = os.environ.get(API_KEY, "").strip()
    headers = {"api-key": key} if key else {}
    reply = ask(address.rstrip("/"), patience, headers)
    if reply.status == 200:
        version = _version(reply.text)
        allowed = ask(f"{address.rstrip('/')}/collections", patience, headers)
        if version and allowed.status == 200:
            return Finding(name=name, state=State.OK, found=f"{place}, {version}", needed=True)
        if version and allowed.status in (401, 403):
            found, fix = f"{place} refuses the key" if key else f"{place} wants a key", f"export {API_KEY}=..."
            return Finding(name=name, state=State.BROKEN, found=found, fix=fix, needed=True)
        found, fix = f"{place} answers, but not as Qdrant", "index.url=http://HOST:6333, its HTTP port"
        return Finding(name=name, state=State.BROKEN, found=found, fix=fix, needed=True)
    found = f"{place}: {f'HTTP {reply.status}' if reply.status else reply.text}"
    fix = "start it (sbatch slurm/qdrant.sbatch), another index.url, or index=embedded"
    return Finding(name=name, state=State.BROKEN, found=found, fix=fix, needed=True)


def _version(text: str) -> str:
    """Of the server's first page; empty where that is somebody else's."""
    try:
        said = json.loads(text)
        return str(said["version"]) if "qdrant" in str(said["title"]).lower() else ""
    except (ValueError, KeyError, TypeError):
        return ""
