"""What is not published, and why: a line for each reason."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from bench.publishing.claim import Claim
from bench.publishing.refusals import Candidate, refusals

CLAIM = Claim(title="t", about="a", experiment="e", seeds=(0,), margins={"accuracy": 0.05})
MANIFEST: dict[str, Any] = {
    "experiment": "e",
    "planned": 60,
    "seed": 0,
    "split": "test",
    "commit": "c0ffee",
    "systems": ["prompt"],
    "model": {"name": "m", "identity": "1234"},
    "made_by": {"code": "code", "data": "data", "model": "1234"},
    "config": {"seed": 0, "top": 4, "run_dir": "a", "systems": {"prompt": {"name": "prompt"}}},
}


def run(seed: int = 0, complete: bool = True, completed: int = 60, unreached: int = 0, **changes: Any) -> Candidate:
    """A run like ``MANIFEST``; a change is named by its keys, as ``made_by__code="other"``."""
    manifest = copy.deepcopy(MANIFEST) | {"seed": seed}
    manifest["config"] |= {"seed": seed, "run_dir": f"run-{seed}"}
    for name, value in changes.items():
        *above, last = name.split("__")
        node = manifest
        for part in above:
            node = node[part]
        node[last] = value
    return Candidate(Path(f"run-{seed}"), manifest, completed, complete, unreached)


def tuned(seed: int) -> Candidate:
    return run(seed, systems=["hybrid"], config__systems={"hybrid": {"adapter": {"rank": 8, "seed": seed}}})


def reasons(*runs: Candidate, claim: Claim = CLAIM, changed: bool | None = False) -> list[str]:
    return refusals(runs, claim, changed, {"c0ffee": "code"}.get)


def seeds(*numbers: int) -> Claim:
    return Claim(title="t", about="a", experiment="e", seeds=numbers)


def test_a_clean_and_whole_run_is_published() -> None:
    assert reasons(run()) == reasons(run(planned=100, completed=100, unreached=1)) == []
    assert reasons(*(tuned(seed) for seed in range(3)), claim=seeds(0, 1, 2)) == []


@pytest.mark.parametrize(
    ("candidate", "said"),
    [
        (run(completed=59), "run-0: has 59 of 60 planned answers; say its command again"),
        (run(complete=False), "run-0: is not finished; say its command again"),
        (
            run(planned=100, completed=100, unreached=2),
            "run-0: 2 of 100 calls did not reach their engine",
        ),
        (run(experiment="f"), "run-0: is a run of experiment=f, and the claim is of experiment=e"),
        (run(split="development"), "run-0: asks the development split, where settings are chosen"),
        (run(commit="c0ffee-dirty"), "run-0: was made by code that is in no commit (c0ffee-dirty)"),
        (run(commit="unknown"), "run-0: was made by code that is in no commit (unknown)"),
        (run(commit="fade"), "run-0: its commit fade is not in this repository"),
        (run(made_by__code="other"), "run-0: was made by other code (other) than its commit c0ffee holds (code)"),
        (run(model__identity="a/b@unpinned"), "run-0: model m has no pinned revision; say model.revision=COMMIT"),
    ],
    ids=lambda value: value[7:40] if isinstance(value, str) else "",
)
def test_a_run_that_is_not_fit_says_why(candidate: Candidate, said: str) -> None:
    [line] = reasons(candidate)
    assert line.startswith(said)
    assert "\n" not in line


def test_the_tree_itself_has_to_be_clean() -> None:
    assert reasons(run(), changed=True) == [
        "the tree has changes that are not committed; commit them, and run on that commit"
    ]
    assert reasons(run(), changed=None) == [
        "this is no git repository, so nobody could get the code that made the runs"
    ]


def test_seeds_that_are_claimed_are_there_once() -> None:
    assert reasons(run(0), run(1), claim=seeds(0, 1, 2)) == ["seed 2 is missing: the claim names 0, 1, 2"]
    assert reasons(run(0), run(0)) == ["seeds 0, 0: one of them stands there twice"]


def test_tuned_weights_need_three_training_seeds() -> None:
    said = "hybrid: claims on tuned weights need 3 training seeds or more, and there "
    assert reasons(tuned(0)) == [said + "is 1"]
    assert reasons(tuned(0), tuned(1)) == [said + "are 2"]


def test_runs_of_different_systems_are_refused_with_every_reason() -> None:
    plain = run(1)
    found = reasons(tuned(0), plain, claim=seeds(0, 1))
    assert any("run-1: differs from run-0 in systems" in one for one in found)
    assert any("need 3 training seeds or more" in one for one in found)


def test_several_runs_are_one_grid() -> None:
    assert reasons(run(0), run(1, config__top=5)) == ["run-1: differs from run-0 in top, and not in its seed alone"]
    assert reasons(run(0), run(1, made_by__data="x")) == ["run-1: was made with other data than run-0"]
    assert reasons(run(0), run(1)) == []


def test_every_reason_is_told_at_once() -> None:
    found = reasons(run(completed=1, commit="unknown"), changed=True, claim=seeds(0, 1))
    assert len(found) == 4
