"""``bench publish`` from a program of its own in git: clean code is published, changed code is not."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from bench.publishing.publication import Publication
from bench.publishing.source import code_at
from bench.workspace import code_hash
from tests.calling import ROOT, Outcome, environment, small


@dataclass(frozen=True)
class Program:
    """A copy of the program as it stands here, committed."""

    root: Path

    def bench(self, *arguments: str) -> Outcome:
        settings = {**environment(), "PYTHONPATH": str(self.root)}
        command = [sys.executable, "-m", "bench", *arguments]
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, env=settings, check=False)
        return Outcome(done.returncode, done.stdout, done.stderr)

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b"]
        done = subprocess.run(["git", *who, *words], cwd=self.root, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def run(self, model: Path, name: str, *further: str) -> str:
        settings = (f"run_dir=results/runs/{name}", "load=none", *further)
        done = self.bench("run", *(one for one in small(model, *settings) if not one.startswith("load.")))
        assert done.code == 0, done.err
        return f"results/runs/{name}"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    root = tmp_path_factory.mktemp("program")
    for package in ("bench", "systems", "conf"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    found = Program(root)
    (root / ".gitignore").write_text("__pycache__\nresults/runs\nresults/builds\n")
    found.git("init", "-q")
    found.git("add", "-A")
    found.git("commit", "-qm", "all")
    return found


def test_the_code_of_a_commit_has_the_hash_of_its_files(program: Program) -> None:
    head = program.git("rev-parse", "HEAD")
    assert code_at(head, program.root) == code_hash()
    assert code_at("0" * 40, program.root) is None
    assert code_at(head, program.root.parent) is None


def test_a_finished_run_of_clean_code_is_published_and_reproduced(program: Program, tiny_model: Path) -> None:
    run = program.run(tiny_model, "one")
    done = program.bench("publish", run, "name=tiny")
    assert (done.code, done.err) == (0, ""), done.err
    place = program.root / "results" / "published" / "tiny"
    names = {"manifest.json", "config.yaml", "summary.json", "scores.csv.gz", "SHA256SUMS", "published.yaml"}
    assert {file.name for file in place.iterdir()} == names
    publication = Publication(place)
    publication.check()
    assert publication.runs[0]["commit"] == program.git("rev-parse", "HEAD")
    assert str(tiny_model) not in "".join(file.read_text() for file in place.glob("*.[jy]*"))
    assert (program.root / "results" / "leaderboard.html").is_file()
    assert "published by us on CPU" in (program.root / "results" / "README.md").read_text()
    sums = subprocess.run(["sha256sum", "--check", "SHA256SUMS"], cwd=place, capture_output=True, check=False)
    assert sums.returncode == 0
    claim = place.with_name("later") / "published.yaml"
    claim.parent.mkdir()
    claim.write_text(
        "{title: t, about: a, experiment: pocket, seeds: [0], margins: {accuracy: 0.05, stale_rate: 0.05}}"
    )
    refused = program.bench("publish", run, "name=later")
    assert refused.code == 2
    assert refused.err.splitlines() == [
        "bench publish: margin of stale_rate: these runs do not measure it",
        f"bench publish: {run}: model.context_tokens=16384: the claim is of 1536",
        f"bench publish: {run}: suite.tasks.facts.world.entities=12: the claim is of 24",
        f"bench publish: {run}: engine=stub: asks no model, and the claim is of one",
    ]
    assert [file.name for file in claim.parent.iterdir()] == ["published.yaml"]
    again = program.bench("reproduce", "tiny", f"model.path={tiny_model}", "--json")
    found = json.loads(again.out)
    assert (again.code, found["word"], found["notes"]) == (4, "cannot say", [])
    assert {row["alike"] == row["n"] for row in found["verdicts"]} == {True}


def test_what_changed_since_is_not_published(program: Program, tiny_model: Path) -> None:
    clean = program.run(tiny_model, "two", "suite.count=2")
    file = program.root / "bench" / "shares.py"
    text = file.read_text()
    file.write_text(text + "# changed\n")
    dirty = program.run(tiny_model, "three", "suite.count=2")
    lines = program.bench("publish", dirty, "name=other").err.splitlines()
    assert lines[0] == (
        "bench publish: the tree has changes that are not committed; commit them, and run on that commit"
    )
    assert lines[1].startswith(f"bench publish: {dirty}: was made by code that is in no commit (")
    file.write_text(text)
    done = program.bench("publish", dirty, "name=other")
    assert done.code == 2
    assert "no commit" in done.one_line(2)
    (program.root / clean / "complete").unlink()
    assert program.bench("publish", clean, "name=other").one_line(2) == (
        f"bench publish: {clean}: is not finished; say its command again"
    )
    assert not (program.root / "results" / "published" / "other").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["name=a"], "give one or more run directories"),
        (["results", "name=a"], "results: is no run directory (manifest.json is missing)"),
        (["results"], "name=: has to be given, a word that names a directory"),
        (["results", "name=../a"], "name=../a: has to be given, a word that names a directory"),
        (["results", "name=a", "seed=1"], "seed: no such setting here; there are: name, results"),
        (["results", "name=a", "--force"], "--force: no such flag here; there is --traceback"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], said: str, place: Path) -> None:
    from tests.calling import call

    (place / "results").mkdir()
    assert call("publish", *arguments).one_line(2).startswith(f"bench publish: {said}")
