"""Scores: what every metric says of every answer, written while the answers are read."""

from __future__ import annotations

import dataclasses
import json
import tempfile
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.detectors.closed_world import ClosedWorld
from bench.joining import Joined, joined
from bench.journal import Journal
from bench.metrics.base import DECLARED, Value
from bench.metrics.declared import metric
from bench.records import Key, Prediction, Sample
from bench.scoring import score
from bench.workspace import Workspace, write_lines
from systems.base import Query, UserError
from tests.benchmarks.stored_run import write_run

NAMES = st.text(st.characters(exclude_categories=()), max_size=3)
"""Any text, lone surrogates among it."""
DETECTOR = ClosedWorld(name="d")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Answers of every kind to tasks of every kind, by four systems, with verdicts."""
    return write_run(tmp_path_factory.mktemp("scoring") / "run", 1000, entities=36)


def write(workspace: Workspace, keys: list[Key]) -> None:
    """Answers in this order; every other one has a verdict, and samples and verdicts stand in an order of their own."""
    with Journal(workspace.predictions) as journal:
        for key in keys:
            journal.append(dataclasses.asdict(Prediction(**vars(key), text=repr(key))))
    questions = sorted({(key.task, key.sample) for key in keys}, reverse=True)
    workspace.write_samples(
        [Sample(id=name, task=task, query=Query(text=f"{task}/{name}"), reference=name) for task, name in questions]
    )
    write_lines(workspace.verdicts, [{**vars(key), "verdicts": {"d": {"of": repr(key)}}} for key in keys[::2]])


def test_the_scores_are_those_of_each_metric_for_each_answer(run: Workspace) -> None:
    """Line by line what follows from reading everything first."""
    metrics = run.read_manifest()["metrics"]
    samples = {(sample.task, sample.id): sample for sample in run.read_samples()}
    verdicts = run.read_verdicts()
    wanted = []
    for one in run.read_predictions():
        said = verdicts.get((one.system, one.task, one.sample, one.repeat), {})
        said = {**said, **({DECLARED: said["closed_world"]} if "closed_world" in said else {})}
        for name in metrics[one.task]:
            value = metric(name).score(samples[one.task, one.sample], one, said)
            row = {**dataclasses.asdict(one.key), "metric": name, "value": value.value, "detail": value.detail}
            wanted.append(json.dumps(row, ensure_ascii=False, separators=(",", ":")) + "\n")
    assert score(run, metrics, ClosedWorld()) == len(wanted)
    assert run.scores.read_text(encoding="utf-8") == "".join(wanted)
    assert run.read_manifest()["judged"] == sum("closed_world" in said for said in verdicts.values()) > 100


@given(st.lists(st.builds(Key, NAMES, NAMES, NAMES, st.integers(0, 12)), unique=True, max_size=12))
@settings(max_examples=40, deadline=None)
def test_answers_come_in_order_with_their_samples_and_verdicts(keys: list[Key]) -> None:
    with tempfile.TemporaryDirectory() as place:
        workspace = Workspace(Path(place))
        write(workspace, keys)
        samples = {(sample.task, sample.id): sample for sample in workspace.read_samples()}
        verdicts = workspace.read_verdicts()
        wanted = [
            Joined(samples[one.task, one.sample], one, verdicts.get((one.system, one.task, one.sample, one.repeat), {}))
            for one in workspace.read_predictions()
        ]
        assert list(joined(workspace)) == wanted


@dataclass
class Counting:
    """A metric that counts which of the answers and questions it was shown are still in memory."""

    name: str = "counting"
    unit: str = "mean"
    higher_is_better: bool = True
    shown: list[weakref.ref[Any]] = field(default_factory=list)
    held: list[int] = field(default_factory=list)

    def score(self, sample: Sample, prediction: Prediction, verdicts: Mapping[str, Any]) -> Value:
        self.shown += [weakref.ref(sample), weakref.ref(prediction)]
        self.held.append(sum(one() is not None for one in self.shown))
        return Value(1.0)


def test_no_answer_is_held_after_its_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(Workspace(tmp_path), [Key(system, "facts", str(number)) for system in "ab" for number in range(30)])
    counting = Counting()
    monkeypatch.setattr("bench.scoring.metrics_of", lambda tasks: {"counting": counting})
    assert score(Workspace(tmp_path), {"facts": ["counting"]}, DETECTOR) == 60
    assert counting.held == [2] * 60


def test_an_answer_to_no_sample_is_an_error_and_the_old_scores_stay(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    write(workspace, [Key("rag", "facts", name) for name in "12"])
    assert score(workspace, {"facts": ["accuracy"]}, DETECTOR) == 2
    before = workspace.scores.read_bytes()
    workspace.write_samples([sample for sample in workspace.read_samples() if sample.id == "1"])
    with pytest.raises(UserError, match=r"answers sample '2' of task 'facts', which is not in samples\.jsonl"):
        score(workspace, {"facts": ["accuracy"]}, DETECTOR)
    assert workspace.scores.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir() if file.name.endswith(".part")] == []


def test_without_answers_or_verdicts_there_is_nothing_to_say(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"is no run directory \(samples\.jsonl is missing\)"):
        score(Workspace(tmp_path), {}, DETECTOR)
    Workspace(tmp_path).write_samples([])
    assert score(Workspace(tmp_path), {}, DETECTOR) == 0
    assert Workspace(tmp_path).read_scores() == []
