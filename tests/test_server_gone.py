"""A model's server that goes away in the middle of a run, or loses calls: nothing of that is an answer."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

from bench.journal import read
from bench.records import Key
from systems.base import unreached
from tests.calling import Outcome, call, small
from tests.engines import server as play
from tests.engines.server import Server, serving

QUESTIONS = 60


def run(model: Path, place: Path, server: Server, *further: str) -> Outcome:
    """Calls one by one, each tried once."""
    asked = [f"engine.base_url={server.url}", "engine.concurrency=1", "engine.retries=0", f"run_dir={place / 'run'}"]
    settings = [one for one in small(model) if not one.startswith(("engine=", "load."))]
    return call("run", "engine=openai", "load=none", *settings, *asked, *further)


def answers(place: Path) -> list[str | None]:
    """Errors of the journal's answers, of which none may stand there twice."""
    records = list(read(place / "run" / "predictions.jsonl"))
    times = Counter(Key(one["system"], one["task"], one["sample"], one["repeat"]) for one in records)
    assert set(times.values()) == {1}
    return [one["error"] for one in records]


def test_a_run_whose_server_goes_fails_in_one_line_and_goes_on_where_it_moved(tiny_model: Path, place: Path) -> None:
    quick = play.answer("one")
    with serving(*[quick] * 21, play.status(503)) as server:
        line = run(tiny_model, place, server).last_line(1)
    assert line.startswith(f"bench run: engine.base_url={server.url}: no server answers there (HTTP 503: no); ")
    before = answers(place)
    assert set(before) == {None}
    assert 0 < len(before) < QUESTIONS
    with serving(quick) as moved:
        done = run(tiny_model, place, moved)
    assert done.code == 0, done.err
    assert answers(place) == [None] * QUESTIONS
    manifest = json.loads((place / "run" / "manifest.json").read_text())
    assert [one["server"] for one in manifest["went_on"]] == [moved.url]
    with serving(quick) as third:
        assert "was begun with other config" in run(tiny_model, place, third).last_line(2)


def test_a_lost_call_is_made_again_when_the_run_is(tiny_model: Path, place: Path) -> None:
    quick = play.answer("one")
    with serving(*[quick] * 21, play.gone, quick, play.gone, quick) as server:
        done = run(tiny_model, place, server)
        assert done.code == 0, done.err
        assert "2 calls did not reach the engine, and count as failed; the same command makes them again" in done.err
        lost = [one for one in answers(place) if one is not None]
        assert len(lost) == 2
        assert all(map(unreached, lost))
        assert json.loads((place / "run" / "summary.json").read_text())["completed"] == QUESTIONS
        assert run(tiny_model, place, server).code == 0
        assert answers(place) == [None] * QUESTIONS
        asked = len(server.bodies)
        assert run(tiny_model, place, server).code == 0
        assert len(server.bodies) == asked, "a finished run asks nobody"
