"""What leaves: places and hosts are taken out of texts, and a whole run is sent and searched for what was planted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.journal import Journal, read
from bench.observing import Note, tell
from bench.tracking.privacy import cleared, without_secrets
from bench.tracking.wandb import WandbTracker
from bench.workspace import Workspace
from tests.calling import call
from tests.tracking.runs import KEY, identity
from tests.tracking.server import Server

HOST = "gpu-node-17"
TOKEN = "token/of+a=service"
PLANTED = (
    *("/home/somebody/a/b.txt", "file:/home/somebody/a", "host-of-files:/home/somebody/a", "~somebody/a"),
    *("/usr/bin:/home/somebody/bin:/home/somebody/more", "../../home/somebody/a"),
    *("http://somebody:pass-9876@qdrant.corp-net:6333/v1?key=pass-9876", "grpc://qdrant.corp-net:6334"),
    *("qdrant.corp-net:6333", "host-of-files:6333", "somebody@qdrant.corp-net:team/code.git", f"ran on {HOST}."),
    *(f"{HOST}.cluster.corp-net", f"Bearer {TOKEN}", "/root/somebody/c"),
)
WORDS = ("somebody", "qdrant", "corp-net", "pass-9876", HOST, "host-of-files", TOKEN, KEY, "hosted-here")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/home/ann/runs", "runs"),
        ("/data/of ann/b.txt", "b.txt"),
        ("file:/home/ann/a", "a"),
        ("nas:/export/home/ann", "ann"),
        ("at lib:/home/ann/lib:/opt/x now", "at x now"),
        ("corpus=/home/ann/docs seed=1", "corpus=docs seed=1"),
        ("../../home/ann", "ann"),
        ("see /root.", "see ~."),
        ("http://ann:pw@host:8000/v1?key=1", "http://(hidden)/v1"),
        ("see http://host, then", "see http://(hidden), then"),
        ("qdrant.corp-net:6333 and node17:8000", "(hidden) and (hidden)"),
        ("git@host.org:team/repo.git", "(hidden)/repo.git"),
        # Of these nothing is a place.
        *(
            (text, text)
            for text in (
                *("open loop, 4 requests/s, cold cache", "and/or, 1/2, a/b/c", "BAAI/bge-large-en-v1.5"),
                *("2026-11-20T09:14:03Z", "nvidia-cublas==12.4.5.8", "recall@10", "file.py:12: bad", "sha256:00ff"),
            )
        ),
    ],
)
def test_of_a_place_its_last_part_is_left(text: str, left: str) -> None:
    assert cleared({"a": [text]}) == {"a": [left]}
    assert cleared({text: 1}) == {left: 1}


def test_hosts_and_secrets_are_known_by_the_name_of_their_setting() -> None:
    given = {"host": "alpha", "api_key": "k", "base_url": "alpha", "nodes": 3, "headers": {"auth": "x"}, "server": None}
    left = {**given, "host": "(hidden)", "api_key": "(hidden)", "base_url": "(hidden)", "headers": {"auth": "(hidden)"}}
    assert cleared(given) == left


def test_texts_keep_what_is_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/people/ann")
    monkeypatch.setenv("HOSTNAME", f"{HOST}.cluster")
    text = f"See http://example.org/a/b, /srv/people/ann/x, /home/bob/y and {HOST}."
    assert without_secrets(text) == "See http://example.org/a/b, ~/x, ~/y and (hidden)."


@pytest.mark.parametrize("samples", ["redacted", "full"])
def test_no_byte_that_arrives_holds_what_was_planted(
    short: Workspace, server: Server, monkeypatch: pytest.MonkeyPatch, samples: Any
) -> None:
    for name, value in {"SERVICE_TOKEN": TOKEN, "HOSTNAME": HOST, "USER": "somebody", "LOGNAME": "somebody"}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(short.path.parent)
    everywhere = " | ".join(PLANTED)
    _plant(short, everywhere)
    with (tracker := WandbTracker(mode="online", samples=samples, every_seconds=1)).live(short):
        tell(Note(stage="load", system="prompt", mode=everywhere, done=1, of=2, seconds=0.1))
    tracker.publish(short)
    assert call("wandb", "report", str(short.path)).code == 0
    assert call("wandb", "workspace").code == 0
    found = server.runs[identity("prompt")]
    assert "samples" in found.history[-1]
    assert "accuracy" in found.summary
    assert {"load/mode"} <= set(found.history[0])
    arrived = b"\n".join(name.encode() + b" " + body for name, body in server.received).decode(errors="replace")
    arrived += "\n".join(server.headers)
    assert len(arrived) > 20_000
    for word in (*WORDS, str(short.path.parent), "/bin/python"):
        at = arrived.find(word)
        assert at < 0, f"{word}: {arrived[max(at - 200, 0) : at + 100]}"
    assert ("the report" in arrived) == (samples == "full")


def _plant(run: Workspace, everywhere: str) -> None:
    """Into config, manifest, summary, samples' ids, answers, errors and report."""
    manifest = run.read_manifest()
    one_by_one = {f"place{number}": text for number, text in enumerate((*PLANTED, "/srv/my files of/somebody/b.txt"))}
    engine = {"base_url": "hosted-here", "host": "hosted-here", "api_key": "hosted-here"}
    run.update_manifest(
        config={**manifest["config"], "planted": one_by_one, "engine": engine, "list": [*PLANTED], everywhere: 1},
        experiment=everywhere,
        grid=everywhere,
        model={"name": everywhere},
        suite=everywhere,
        command=f"bench run {everywhere}",
        sweep={"name": everywhere, "job": everywhere},
    )
    summary = json.loads(run.summary.read_text())
    summary["run"] |= {"engine": everywhere, "model": everywhere, "findings": [{"level": "note", "text": everywhere}]}
    run.summary.write_text(json.dumps(summary))
    told = list(read(run.predictions))
    run.predictions.unlink()
    with Journal(run.predictions) as journal:
        for one in told:
            journal.append({**one, "error": everywhere, "text": f"/home/somebody/x on {HOST} with {TOKEN}"})
    Path(run.path / "report.html").write_text(f"<p>the report of {HOST}, /home/somebody/x</p>")
