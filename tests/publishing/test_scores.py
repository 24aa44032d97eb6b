"""Published scores: numbers and ids that come back as they were, seed by seed."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from bench.metrics.declared import metric
from bench.pool import Pool
from bench.publishing.scores import of_seeds, read_runs, read_scores, write_scores
from bench.records import Sample
from bench.workspace import Workspace, write_lines
from systems.base import Query, UserError

METRICS = {name: metric(name) for name in ("accuracy", "token_f1")}


def run(path: Path, right: float) -> Workspace:
    """Two samples of one cluster, each asked twice of one system, and scored by three measures."""
    workspace = Workspace(path)
    workspace.update_manifest(config={}, metrics={"t": ["accuracy", "token_f1", "macro_f1", "exact_match"]})
    samples = [Sample(id=n, task="t", query=Query(text="a text"), reference="r", cluster="page") for n in "ab"]
    workspace.write_samples(samples)
    keys = [{"system": "rag", "task": "t", "sample": s.id, "repeat": r} for s in samples for r in (0, 1)]
    values = {"accuracy": right, "token_f1": 1 / 3, "macro_f1": 1.0, "exact_match": None}
    write_lines(
        workspace.scores,
        [{**key, "metric": m, "value": v, "detail": {"why": "a text"}} for key in keys for m, v in values.items()],
    )
    return workspace


@pytest.fixture
def pool(tmp_path: Path) -> Pool:
    return read_runs({0: run(tmp_path / "0", 1.0), 7: run(tmp_path / "7", 0.0)}, [0, 7], [*METRICS, "macro_f1"])


@pytest.fixture
def path(pool: Pool, tmp_path: Path) -> Path:
    write_scores(tmp_path / "scores.csv.gz", pool, [0, 7])
    return tmp_path / "scores.csv.gz"


def test_runs_of_several_seeds_are_repeats_of_the_same_samples(pool: Pool) -> None:
    assert [metric.name for metric in pool.metrics] == ["accuracy", "token_f1"]
    assert [(one.id, one.cluster) for one in pool.samples] == [("a", "page"), ("b", "page")]
    assert sorted({one.repeat for one in pool.predictions}) == [0, 1, 1000, 1001]
    assert len(pool.predictions) == 8
    assert {(s.repeat // 1000, s.value) for s in pool.scores if s.metric == "accuracy"} == {(0, 1.0), (1, 0.0)}


def test_scores_come_back_with_their_seeds(path: Path) -> None:
    found = read_scores(path, [0, 7], METRICS)
    assert [(one.id, one.cluster) for one in found.samples] == [("a", "page"), ("b", "page")]
    values = {(s.sample, s.repeat, s.metric): s.value for s in found.scores}
    assert len(values) == len(found.scores) == 2 * 2 * 2 * 2
    assert (values["a", 0, "accuracy"], values["a", 1001, "accuracy"]) == (1.0, 0.0)
    assert values["b", 1, "token_f1"] == pytest.approx(1 / 3, abs=1e-9)
    assert {one.repeat for one in of_seeds(found, {1}).predictions} == {1000, 1001}


def test_no_text_and_no_measure_that_is_no_mean_is_written(path: Path) -> None:
    text = gzip.decompress(path.read_bytes()).decode()
    head, first, *_ = text.splitlines()
    assert head == "seed,system,task,sample,cluster,repeat,accuracy,token_f1"
    assert first == "0,rag,t,a,page,0,1,0.3333333333"
    assert "a text" not in text


def test_the_same_scores_are_the_same_bytes(path: Path, pool: Pool, tmp_path: Path) -> None:
    write_scores(tmp_path / "again.csv.gz", pool, [0, 7])
    assert (tmp_path / "again.csv.gz").read_bytes() == path.read_bytes()


def test_samples_that_are_named_by_places_are_not_written(pool: Pool, tmp_path: Path) -> None:
    def named(name: str) -> Pool:
        return replace(pool, samples=(replace(pool.samples[0], cluster=name), *pool.samples[1:]))

    write_scores(tmp_path / "scores.csv.gz", named("trec:12345"), [0, 7])
    write_scores(tmp_path / "scores.csv.gz", named("docs/plans.md"), [0, 7])
    with pytest.raises(UserError, match="samples are named by places of this machine"):
        write_scores(tmp_path / "scores.csv.gz", named("/home/ann/docs/plans.md"), [0, 7])


def test_a_broken_file_is_one_line(path: Path) -> None:
    path.write_bytes(gzip.compress(b"seed,system\n0,rag\n"))
    with pytest.raises(UserError, match=r"scores.csv.gz: not as bench publish writes it"):
        read_scores(path, [0, 7], METRICS)
    path.write_bytes(b"plain")
    with pytest.raises(UserError, match="not as bench publish writes it"):
        read_scores(path, [0, 7], METRICS)
