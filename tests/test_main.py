"""The command itself: help without libraries, stages that exist, exit codes that say who has to act."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

from bench.__main__ import STAGES, choices, main
from systems.base import Failure, UserError
from tests.calling import call, environment, start

THIRD_PARTY = """
import sys
before = set(sys.modules)
from bench.__main__ import main
for arguments in (["--help"], [], ["run", "--help"], ["nosuch"]):
    main(arguments)
found = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(found - set(sys.stdlib_module_names) - {"bench"}), file=sys.stderr)
"""


def test_help_lists_every_stage() -> None:
    for arguments in ([], ["--help"], ["-h"], ["help"]):
        done = call(*arguments)
        assert (done.code, done.err) == (0, "")
        for stage, text in STAGES.items():
            assert f"  {stage:15} {text}" in done.out


@pytest.mark.parametrize("stage", STAGES)
def test_help_of_a_stage_lists_groups_and_their_options(stage: str) -> None:
    done = call(stage, "--help")
    assert done.code == 0
    assert STAGES[stage] in done.out
    lines = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert lines["systems"].split() == (
        ["systems", "all,", "base,", "context,", "degraded,", "prompting,", "retrieval,", "retrievers,", "tuned"]
    )
    for group, options in choices().items():
        for option in options:
            assert option in lines[group]


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_that_is_listed_can_be_called(stage: str) -> None:
    assert callable(importlib.import_module(f"bench.{stage}").main)


def test_help_imports_the_standard_library_alone() -> None:
    done = start(code=THIRD_PARTY)
    assert done.code == 0
    assert done.err.splitlines()[-1] == "[]"


def test_help_is_quick() -> None:
    """Counted in imported modules, which a busy machine does not change: argparse and json are already too many."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "bench", "--help"], capture_output=True, text=True,
        env=environment(), check=True,
    )  # fmt: skip
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if "|" in line}
    assert "importlib" in imported
    assert not imported & {"argparse", "json", "subprocess", "dataclasses", "hydra", "numpy", "systems.base"}


@pytest.mark.parametrize(("typed", "said"), [("rum", "did you mean run?"), ("zzz", "see bench --help")])
def test_an_unknown_stage_is_the_users_mistake(typed: str, said: str) -> None:
    assert call(typed).one_line(2) == f"bench: no stage {typed!r}; {said}"


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("key: wrong"), 2, "bench run: key: wrong"),
        (Failure("server: gone"), 1, "bench run: server: gone"),
        (OSError(28, "No space left on device", "/some/file"), 1, "bench run: /some/file: No space left on device"),
        (KeyboardInterrupt(), 130, "bench run: interrupted; the same command goes on from here"),
    ],
)
def test_exit_codes(monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str) -> None:
    def fail(arguments: list[str]) -> int:
        raise error

    monkeypatch.setattr(importlib.import_module("bench.run"), "main", fail)
    assert call("run").one_line(code) == said


@pytest.mark.parametrize("error", [UserError("key: wrong"), OSError(28, "full")])
def test_traceback_shows_where_an_error_arose(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(arguments: list[str]) -> int:
        assert arguments == ["seed=1"]
        raise error

    monkeypatch.setattr(importlib.import_module("bench.run"), "main", fail)
    with pytest.raises(type(error)):
        main(["run", "seed=1", "--traceback"])


def test_an_unknown_flag_is_the_users_mistake() -> None:
    assert call("run", "--frseh").one_line(2).startswith("bench run: --frseh: no such flag; there are --config, ")
    assert call("generate", "--fresh").one_line(2).startswith("bench generate: --fresh: no such flag here")


def test_the_config_is_shown_without_running(place: object) -> None:
    done = call("run", "experiment=pocket", "seed=3", "--config")
    assert done.code == 0
    assert "\nseed: 3\n" in done.out
