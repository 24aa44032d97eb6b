"""``bench reproduce``: builds and answers anew, one word for every measure, and an exit code for all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bench.journal import read
from bench.publishing.claim import Claim, Figure, write_claim
from bench.publishing.publication import Publication
from bench.workspace import HASHED
from systems.lease import held
from tests.calling import Outcome, call
from tests.publishing.making import published, tiny_run

WIDE = {"accuracy": 0.2, "hallucination_rate": 0.2}
"""Margins that thirty answers a system can bear out."""
NARROW = dict.fromkeys(WIDE, 0.05)


@pytest.fixture(scope="module")
def results(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """``wide``: three seeds and wide margins; ``narrow``: the usual ones, of one seed; ``timed``: latency alone."""
    place = tmp_path_factory.mktemp("published")
    runs = {seed: tiny_run(tiny_model, place / f"run-{seed}", f"seed={seed}", "load.blocks=8") for seed in (0, 1, 2)}
    published(place / "results" / "published" / "wide", runs, WIDE)
    published(place / "results" / "published" / "narrow", {0: runs[0]}, NARROW)
    published(place / "results" / "published" / "timed", {0: runs[0]}, {"accuracy": 0.2, "latency_e2e_p50": 0.25})
    return place / "results"


@pytest.fixture
def copy(results: Path, tmp_path: Path) -> Path:
    """A copy to be tampered with."""
    return Path(shutil.copytree(results, tmp_path / "results"))


def reproduce(results: Path, name: str, model: Path, *further: str) -> Outcome:
    return call("reproduce", name, f"results={results}", f"model.path={model}", *further)


def told(done: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.out)
    return found


def test_every_seed_is_run_again_and_comes_out(results: Path, tiny_model: Path, place: Path) -> None:
    done = reproduce(results, "wide", tiny_model, "--json")
    assert done.code == 0, done.out
    found = told(done)
    assert (found["word"], found["code"], len(found["runs"])) == ("reproduced", 0, 3)
    words = {(row["system"], row["measure"]): row for row in found["verdicts"]}
    assert set(words) == {(system, measure) for system in ("prompt", "rag") for measure in WIDE}
    assert {row["word"] for row in words.values()} == {"reproduced"}
    accuracy = words["rag", "accuracy"]
    assert (accuracy["n"], accuracy["alike"], accuracy["difference"]) == (90, 90, 0)
    assert json.loads((place / "results/runs/reproduce-wide/reproduced.json").read_text()) == found
    assert "set aside" not in done.err
    assert [path.name for path in (place / "results/runs").iterdir() if path.is_dir()] == ["reproduce-wide"]
    of_one = found["provenance"]["1"]
    assert (of_one["seed"], of_one["contents"]["hashed"]) == (1, HASHED)
    assert {"commit", "made_by", "lock", "hardware", "command", "started", "finished"} <= set(of_one)
    assert len(list((place / "results/runs/reproduce-wide/builds/index").glob("*/artifact.json"))) == 1


def test_too_few_samples_cannot_say(results: Path, tiny_model: Path, place: Path) -> None:
    done = reproduce(results, "narrow", tiny_model)
    assert done.code == 4, done.err
    assert done.out.splitlines()[-1].startswith("narrow: cannot say (")
    assert "– rag, accuracy: too few samples for this margin" in done.out


def test_other_answers_are_not_reproduced(results: Path, tiny_model: Path, place: Path) -> None:
    """All abstain in what was published, and now assert something wrong; what is unanswerable was right, a fifth."""
    settings = ["seeds=1", "engine.default='It is 12 March 2024.'", "--json"]
    found = told(reproduce(results, "wide", tiny_model, *settings))
    assert (found["code"], len(found["runs"])) == (3, 1)
    words = {(row["system"], row["measure"]): row["word"] for row in found["verdicts"]}
    assert words["rag", "hallucination_rate"] == "not reproduced"
    assert words["rag", "accuracy"] != "reproduced"
    assert any("other settings: engine.default" in note for note in found["notes"])
    assert "settings were given: engine.default='It is 12 March 2024.'" in found["notes"]


def test_builds_are_reused_on_request_and_answers_never(results: Path, tiny_model: Path, place: Path) -> None:
    builds = results.parent / "builds"
    settings = [f"builds_dir={builds}", "seeds=0"]
    for _ in range(2):
        assert reproduce(results, "wide", tiny_model, "--reuse-builds", *settings).code in (0, 4)
    runs = place / "results" / "runs"
    assert not (runs / "reproduce-wide" / "builds").exists()
    made = [runs / name / "seed-0" / "manifest.json" for name in ("reproduce-wide", "reproduce-wide.aside-1")]
    assert all(json.loads(path.read_text())["build"]["index"]["reused"] for path in made)
    journals = [list(read(path.with_name("predictions.jsonl"))) for path in made]
    assert [len(one) for one in journals] == [60, 60]


def change(copy: Path, name: str, key: str, value: Any) -> Publication:
    """Another value in the published manifest of seed 0, with checksums that fit."""
    from bench.publishing.checksums import write_checksums

    place = copy / "published" / name
    manifest = json.loads((place / "manifest.json").read_text())
    *above, last = key.split("__")
    node = manifest["runs"]["0"]
    for part in above:
        node = node[part]
    node[last] = value
    (place / "manifest.json").write_text(json.dumps(manifest))
    write_checksums(place)
    return Publication(place)


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("contents__samples", "narrow: cannot say, nothing was run: other samples ("),
        ("contents__documents", "narrow: cannot say, nothing was run: other documents ("),
        ("model__identity", "narrow: cannot say, nothing was run: other model ("),
        ("made_by__retrieval", "narrow: cannot say, nothing was run: other embedder or reranker ("),
    ],
)
def test_other_data_or_another_model_is_said_up_front(
    key: str, said: str, copy: Path, tiny_model: Path, place: Path
) -> None:
    change(copy, "narrow", key, "0123")
    done = reproduce(copy, "narrow", tiny_model)
    assert done.code == 4
    assert done.out.splitlines()[-1].startswith(said)
    assert done.out.endswith("published 0123)\n")
    assert not (place / "results" / "runs").exists()


def test_other_code_is_said_and_runs(copy: Path, tiny_model: Path, place: Path) -> None:
    change(copy, "narrow", "made_by__code", "0123")
    done = reproduce(copy, "narrow", tiny_model)
    assert done.code == 4
    assert "note: other code (" in done.err
    assert "published by 0123, commit " in done.out


def test_latency_is_not_compared_with_another_machine(copy: Path, tiny_model: Path, place: Path) -> None:
    found = told(reproduce(copy, "timed", tiny_model, "--json"))
    of_latency = [row for row in found["verdicts"] if row["measure"] == "latency_e2e_p50"]
    assert [row["reason"] for row in of_latency].count("was measured on other hardware") == 0
    assert len(of_latency) == 2  # how near depends on what else the machine does
    change(copy, "timed", "hardware__processor", "Abacus")
    found = told(reproduce(copy, "timed", tiny_model, "--json"))
    assert found["code"] == 4
    of_latency = [row for row in found["verdicts"] if row["measure"] == "latency_e2e_p50"]
    assert {row["reason"] for row in of_latency} == {"was measured on other hardware"}
    assert "other hardware: latency and cost cannot be compared" in found["notes"]


def test_an_unfinished_reproduction_goes_on(results: Path, tiny_model: Path, place: Path) -> None:
    assert reproduce(results, "narrow", tiny_model).code == 4
    run = place / "results" / "runs" / "reproduce-narrow"
    (run / "reproduced.json").unlink()
    before = (run / "seed-0" / "predictions.jsonl").stat().st_mtime_ns
    assert reproduce(results, "narrow", tiny_model).code == 4
    assert (run / "seed-0" / "predictions.jsonl").stat().st_mtime_ns == before
    (run / "reproduced.json").unlink()
    assert "set aside: " in reproduce(results, "narrow", tiny_model, "--fresh").err


def test_a_second_reproduction_in_one_place_is_refused_and_moves_nothing(
    results: Path, tiny_model: Path, place: Path
) -> None:
    """Other seeds would set the place aside: not while somebody else makes his runs there."""
    runs = place / "results/runs"
    (runs / "reproduce-narrow").mkdir(parents=True)
    with held(runs / ".reproduce-narrow.lease"):
        done = reproduce(results, "narrow", tiny_model)
    assert done.code == 1
    assert done.err.rstrip().endswith("is reproducing this; wait for it, stop it, or give run_dir=DIR")
    assert [path.name for path in runs.glob("reproduce-*")] == ["reproduce-narrow"]


def test_answers_of_another_run_are_never_taken(results: Path, copy: Path, tiny_model: Path, place: Path) -> None:
    """Finished runs where a reproduction would go: of other results of that name, or of whatever else."""
    assert reproduce(results, "narrow", tiny_model).code == 4
    runs = place / "results" / "runs"
    (runs / "reproduce-narrow" / "reproduced.json").unlink()
    change(copy, "narrow", "started", "2026-01-01T00:00:00+00:00")  # published anew
    assert "set aside: " in reproduce(copy, "narrow", tiny_model).err
    (runs / "reproduce-narrow" / "reproduction.json").unlink()
    assert "set aside: " in reproduce(copy, "narrow", tiny_model).err
    answers = [len(list(read(path))) for path in runs.glob("*/seed-0/predictions.jsonl")]
    assert answers == [60, 60, 60]
    other = runs / "reproduce-narrow" / "seed-0"
    line = reproduce(copy, "narrow", tiny_model, f"run_dir={other}").last_line(2)
    assert line.endswith(f"run_dir={other}: is there, and holds no reproduction; give a place that is not there yet")


def claimed(results: Path, *figures: Figure) -> None:
    place = results / "published" / "later"
    place.mkdir()
    claim = Claim(title="t", about="a", experiment="pocket", margins={"accuracy": 0.05}, figures=figures)
    write_claim(place, claim)


def test_a_figure_of_others_is_held_to_runs_of_its_own_model_alone(copy: Path, tiny_model: Path, place: Path) -> None:
    claimed(copy, Figure(system="rag", measure="accuracy", value=0.5, margin=0.06, n=10, source="they"))
    settings = ["engine=stub", "model.name=other", "suite.count=5"]
    done = call("reproduce", "later", f"results={copy}", *settings)
    assert (done.code, done.err) == (4, "")
    assert done.out.splitlines() == [
        "note: nothing of ours is published yet: the figures are those of others",
        "note: settings were given: engine=stub model.name=other suite.count=5",
        "later: cannot say, nothing was run: model.name=other: the claim is of pocket; "
        "suite.tasks.facts.count=5: the claim is of 100; engine=stub: asks no model, and the claim is of one",
    ]
    assert not (place / "results" / "runs").exists()


def test_nothing_is_run_that_could_be_held_to_nothing(copy: Path, place: Path) -> None:
    claimed(copy)
    done = call("reproduce", "later", f"results={copy}", "engine=stub")
    assert done.code == 4
    assert done.out.endswith("nothing was run: nothing is published yet that a run could be held to\n")


def test_data_hashed_in_another_way_are_not_called_other_data(copy: Path, tiny_model: Path, place: Path) -> None:
    publication = change(copy, "narrow", "contents__samples", "0123")
    change(copy, "narrow", "contents", {"samples": "0123", "documents": "4567"})
    found = told(reproduce(copy, "narrow", tiny_model, "--json"))
    assert (found["code"], len(found["runs"])) == (4, 1)
    assert "data were hashed in another way when this was published, so nobody compared them" in found["notes"]
    assert publication.run


def test_what_was_changed_after_it_was_published_is_refused(copy: Path, tiny_model: Path, place: Path) -> None:
    path = copy / "published" / "narrow" / "summary.json"
    path.write_text(path.read_text().replace("accuracy", "acuracy"))
    line = reproduce(copy, "narrow", tiny_model).last_line(2)
    assert line.endswith("summary.json: is not as it was published (SHA256SUMS); restore it with git")
    path.unlink()
    assert "summary.json: is missing, and was published" in reproduce(copy, "narrow", tiny_model).last_line(2)


def test_mistakes_are_one_line(results: Path, tiny_model: Path, place: Path) -> None:
    said = reproduce(results, "nosuch", tiny_model).one_line(2)
    assert said.endswith("published; there are: narrow, timed, wide")
    assert "seeds=7: wide has the seeds 0, 1, 2" in reproduce(results, "wide", tiny_model, "seeds=7").one_line(2)
    assert "seeds=x: must be whole numbers" in reproduce(results, "wide", tiny_model, "seeds=x").one_line(2)
    missing = call("reproduce", "narrow", f"results={results}").one_line(2)
    assert missing == "bench reproduce: narrow: needs model.path=...: a place that is not published"
    assert "--quick: no such flag here" in reproduce(results, "narrow", tiny_model, "--quick").one_line(2)
    assert call("reproduce").one_line(2).startswith("bench reproduce: give one name")
    assert "suite.cuont: no such key" in reproduce(results, "narrow", tiny_model, "suite.cuont=3").last_line(2)
