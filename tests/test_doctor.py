"""``bench doctor``: what is here is found, what is broken is said with its fix, and nothing hangs or tells secrets."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from bench.checkup import disk, engine, examine, gpu, machine, model, packages, qdrant, slurm, tracker
from bench.checkup.__main__ import without_secrets
from bench.checkup.base import About, Finding, Settings, State
from bench.checkup.web import Reply, ask, shown
from tests.calling import ROOT, call, start

NO_SERVER = "http://127.0.0.1:9"


@contextmanager
def answering(status: int, text: str, refusing: str = "/nowhere") -> Iterator[str]:
    """A server that says the same to everybody, but 401 at one path; it keeps the last call's headers."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            refused = self.path == refusing
            self.send_response(401 if refused else status)
            self.end_headers()
            self.wfile.write(b"" if refused else text.encode())

        def log_message(self, *_: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()
    thread.join()


@contextmanager
def silent() -> Iterator[str]:
    """A server that takes calls and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def about(settings: dict[str, float] | None = None, **config: Any) -> About:
    return About(settings=Settings(**{"patience": 0.5, **(settings or {})}), config=config)


def program(place: Path, name: str, script: str) -> None:
    """A command that stands first on PATH once ``place`` does."""
    (place / name).write_text(f"#!/bin/sh\n{script}\n")
    (place / name).chmod(0o755)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty directory that is the whole of PATH."""
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    return tmp_path / "bin"


def test_here_the_embedded_default_can_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "netrc").touch(mode=0o600)
    for name, value in {"NETRC": str(place / "netrc"), "HF_HUB_OFFLINE": "1", "WANDB_MODE": ""}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    done = start("doctor", "memory_gib=0.1", "free_gib=0.1", "--json")
    assert (done.code, done.err) == (0, "")
    said = json.loads(done.out)
    assert said["ready"] is True
    rows = {row["name"]: row for row in said["findings"]}
    assert [row.keys() for row in said["findings"]] == [asdict(FINDING).keys()] * len(rows)
    for name in ("Python", "packages", "processor", "memory", "model", "transformers", "Qdrant", "results", "builds"):
        assert rows[name]["state"] == "ok", rows[name]
    assert {name for name, row in rows.items() if row["needed"]} >= {"Python", "packages", "model", "Qdrant", "builds"}
    assert rows["Qdrant server"]["state"] == rows["W&B server"]["state"] == rows["hub"]["state"] == "not needed"
    assert (rows["W&B login"]["state"], rows["W&B login"]["needed"]) == ("missing", False)
    assert all(row["fix"] for row in said["findings"] if row["state"] in ("missing", "broken"))
    assert not list(place.rglob("results"))


FINDING = Finding(name="", state=State.OK, found="")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--jsn"], "--jsn: no such flag here; there are --json, --deep and --traceback"),
        (["patience=0"], "patience=0: must be more than 0"),
        (["patience=much"], "patience=much: must be a number"),
        (["modle=pocket"], "modle: no such key; did you mean model?"),
    ],
)
def test_a_wrong_word_is_the_users_mistake(arguments: list[str], said: str) -> None:
    assert call("doctor", *arguments).one_line(2) == f"bench doctor: {said}"


def test_a_full_disk_is_no_place_for_a_run(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "PROBES", ("disk",))
    assert call("doctor").code == 0
    done = call("doctor", "free_gib=1e9")
    assert (done.code, done.err) == (1, "")
    assert "fix: free 1e+09 GiB, or another place: builds_dir=DIR" in done.out
    assert done.out.splitlines()[-1] == "not ready: see results, builds"


def test_a_directory_that_cannot_be_written_to() -> None:
    found = disk.look(about(run_dir="/proc/nowhere", builds_dir="/dev/null/builds"))
    assert [(one.name, one.state, one.needed) for one in found] == [
        ("results", State.BROKEN, True),
        ("builds", State.BROKEN, True),
    ]
    assert [one.fix.rpartition(" ")[2] for one in found] == ["run_dir=DIR", "builds_dir=DIR"]


def test_too_little_memory() -> None:
    found = {one.name: one for one in machine.look(about({"memory_gib": 1e6}))}
    assert found["memory"].state is State.BROKEN
    assert found["memory"].needed
    assert machine.look(about({"memory_gib": 0}))[1].state is State.OK


def test_a_probe_that_takes_too_long_is_broken_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examine, "PROBES", ("model", "chromium"))
    started = time.monotonic()
    found = examine.examine(about({"limit": 0.01}))
    assert time.monotonic() - started < 5
    assert [(one.state, one.found) for one in found] == [(State.BROKEN, "no result within 0.01 s")] * 2
    assert [one.needed for one in found] == [True, False]


@pytest.mark.parametrize(
    ("code", "state", "found"),
    [
        ("import os; os.abort()", State.BROKEN, "the probe died with exit code -6"),
        ("import sys; sys.modules['qdrant_edge'] = None", State.MISSING, "qdrant-edge-py"),
        ("print('noise')", State.OK, "in this process"),
    ],
)
def test_whatever_a_library_does_is_a_row(
    code: str, state: State, found: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sitecustomize.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(examine, "PROBES", ("qdrant",))
    row = examine.examine(about())[0]
    assert (row.name, row.state, row.needed) == ("Qdrant", state, True)
    assert found in row.found
    assert "Traceback" not in row.found
    assert "\n" not in row.found


def test_packages_that_are_not_as_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "ROOT", tmp_path)
    (tmp_path / "requirements").mkdir()
    needs = ["numpy>=99", "no-such-package>=1", "pyyaml>=1", 'nothing; python_version < "3"']
    (tmp_path / "pyproject.toml").write_text(f"[project]\ndependencies = {json.dumps(needs)}\n")
    import numpy
    import yaml

    for lock in ("cpu.lock", "cuda.txt"):
        (tmp_path / "requirements" / lock).write_text(f"# pinned\nnumpy==0.1\nPyYAML=={yaml.__version__}\n")
    rows = {one.name: one for one in packages.look(about())}
    assert rows["packages"].state is State.MISSING
    assert rows["packages"].found == (f"no-such-package is not installed; numpy {numpy.__version__}, must be >=99")
    if "lock" in rows:  # there is one for each build of vLLM, and none without
        assert rows["lock"].state is State.BROKEN
        assert rows["lock"].found.startswith("1 of 2 differ from requirements/c")
        assert rows["lock"].found.endswith(f": numpy {numpy.__version__} (there 0.1)")
        assert not rows["lock"].needed


def test_the_lock_of_this_environment_holds() -> None:
    rows = {one.name: one for one in packages.look(about())}
    assert rows["packages"].state is State.OK, rows["packages"]
    assert (ROOT / "requirements" / "cpu.lock").is_file()


def test_a_model_that_is_not_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "config.json").touch()
    (row,) = model.look(about(model={"name": "pocket", "path": str(tmp_path)}))
    assert (row.state, row.fix) == (State.BROKEN, "git restore bench/pocket/weights")
    assert row.found == "pocket: its directory has no tokenizer.json and no *.safetensors"
    (row,) = model.look(about(model={"name": "org/name", "path": "org/no-such-model"}))
    assert (row.state, row.needed) == (State.MISSING, False)
    assert "model.path=DIR" in row.fix


def test_without_commands_on_path(path: Path) -> None:
    expected = {"GPU": State.NOT_NEEDED, "CUDA": State.NOT_NEEDED, "Slurm": State.NOT_NEEDED}
    if gpu.DRIVER.exists():
        expected = {"GPU": State.BROKEN, "Slurm": State.NOT_NEEDED}
    assert {one.name: one.state for one in [*gpu.look(about()), *slurm.look(about())]} == expected


def test_a_driver_that_does_not_answer(path: Path) -> None:
    program(path, "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    (row,) = gpu.look(about())
    assert row.state is State.BROKEN
    assert row.found == "nvidia-smi: Failed to initialize NVML: Driver/library version mismatch"


def test_a_card_that_pytorch_cannot_use(path: Path) -> None:
    import torch

    program(path, "nvidia-smi", "echo 'NVIDIA H100 80GB HBM3, 81559 MiB, 550.54.15'")
    card, cuda = gpu.look(about())
    assert (card.state, card.found) == (State.OK, "NVIDIA H100 80GB HBM3, 81559 MiB, 550.54.15")
    if torch.version.cuda is None:
        assert cuda.state is State.MISSING
        assert cuda.fix == "another environment with pip install -r requirements/cuda.txt"
    else:
        assert cuda.state is (State.OK if torch.cuda.is_available() else State.BROKEN)


def test_slurm_that_does_not_answer(path: Path) -> None:
    for name in ("sbatch", "squeue"):
        program(path, name, "exit 0")
    (row,) = slurm.look(about())
    assert (row.state, row.found) == (State.BROKEN, "no sinfo")
    program(path, "sinfo", "echo 'sinfo: error: resolving' >&2; echo 'sinfo: fatal: no controller' >&2; exit 1")
    (row,) = slurm.look(about())
    assert (row.state, row.found) == (State.BROKEN, "sinfo: no controller")
    program(path, "sinfo", "exec /bin/sleep 60")
    (row,) = slurm.look(about())
    assert (row.state, row.found) == (State.BROKEN, "sinfo: no answer within 0.5 s")
    program(path, "sinfo", "echo 'gpu down 4'")
    assert slurm.look(about())[0].found == "it answers, but no partition is up"
    program(path, "sinfo", "echo 'gpu* up 4'; echo 'long up 1'")
    program(path, "squeue", "echo 17")
    (row,) = slurm.look(about())
    assert (row.state, row.found) == (State.OK, "partitions gpu* (4 nodes), long (1 node); 1 job in the queue")


def server_row(url: str) -> Finding:
    return qdrant.look(about(index={"url": url}))[1]


def test_a_qdrant_server_is_asked_who_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("QDRANT_API_KEY", raising=False)
    about_itself = '{"title": "qdrant - vector search engine", "version": "1.15.0"}'
    with answering(200, about_itself) as url:
        row = server_row(url)
        assert (row.state, row.found, row.needed) == (State.OK, f"{url}, 1.15.0", True)
    with answering(200, about_itself, refusing="/collections") as url:
        assert server_row(url).found == f"{url} wants a key"
        monkeypatch.setenv("QDRANT_API_KEY", "not-to-be-shown")
        assert server_row(url).found == f"{url} refuses the key"
        assert server_row(url).fix == "export QDRANT_API_KEY=..."
    with answering(200, "<html>hello</html>") as url:
        assert server_row(url).found == f"{url} answers, but not as Qdrant"
    with silent() as url:
        assert server_row(url).found == f"{url}: no answer within 0.5 s"
    row = server_row("http://name:password@127.0.0.1:9")
    assert (row.state, row.found) == (State.BROKEN, f"{NO_SERVER}: Connection refused")
    assert "index=embedded" in row.fix


def test_a_server_that_serves_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    def row(url: str) -> Finding:
        (found,) = engine.look(about(engine={"base_url": f"{url}/v1", "key_variable": "SOME_KEY"}))
        return found

    with answering(200, '{"data": []}') as url:
        assert row(url).state is State.OK
    with answering(401, "") as url:
        assert (row(url).found, row(url).fix) == (f"{url}/v1 wants a key", "export SOME_KEY=...")
    assert row(NO_SERVER).found == f"{NO_SERVER}/v1: Connection refused"


def test_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def rows(**config: Any) -> dict[str, tuple[State, str]]:
        return {one.name: (one.state, one.found) for one in tracker.look(about(**config))}

    monkeypatch.setenv("NETRC", str(tmp_path / "none"))
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
    with answering(200, "") as url:
        monkeypatch.setenv("WANDB_BASE_URL", url)
        found = rows()
    assert found["W&B"][1].endswith("runs are written online")
    assert found["W&B login"] == (State.OK, f"a key for {url}")
    assert found["W&B server"] == (State.OK, f"{url} answers")
    assert rows()["W&B server"] == (State.BROKEN, f"{url}: Connection refused")
    with silent() as url:
        monkeypatch.setenv("WANDB_BASE_URL", url)
        assert rows()["W&B server"] == (State.BROKEN, f"{url}: no answer within 0.5 s")
    assert rows(tracker={"_target_": "bench.tracking.none.NoTracker"})["W&B"][0] is State.NOT_NEEDED
    monkeypatch.setenv("WANDB_MODE", "disabled")
    assert rows()["W&B"][0] is State.NOT_NEEDED


def hub_row(monkeypatch: pytest.MonkeyPatch, path: str, **variables: str) -> Finding:
    """In a process of its own: the hub's library reads its variables once."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(examine, "PROBES", ("hub",))
    return examine.examine(about(model={"path": path}))[0]


def test_the_hub_is_asked_once_and_in_bounded_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = {"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "0"}
    started = time.monotonic()
    with silent() as url:
        row = hub_row(monkeypatch, "org/name", HF_ENDPOINT=url, **home)
    assert (row.state, row.needed, row.found) == (State.MISSING, True, f"{url}: no answer within 0.5 s")
    assert "HF_HUB_OFFLINE=1" in row.fix
    assert time.monotonic() - started < 20
    row = hub_row(monkeypatch, str(tmp_path), HF_HUB_OFFLINE="1")
    assert (row.state, row.needed) == (State.NOT_NEEDED, False)
    row = hub_row(monkeypatch, "org/name", HF_HUB_OFFLINE="1")
    assert (row.state, row.needed) == (State.BROKEN, True)


def test_names_that_no_name_service_knows_and_addresses_that_are_none() -> None:
    assert ask("http://no-such-host.invalid", 5).status is None
    for address in ("not an address", "file:///etc/passwd"):
        assert ask(address, 5) == Reply(None, "it does not begin with http:// or https://")


def test_secrets_are_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_API_KEY", "hidden-value")
    monkeypatch.setenv("SOME_PLACE", "open-value")
    assert without_secrets("hidden-value at open-value") == "*** at open-value"
    assert shown("https://me:secret@host:8080/path?key=secret") == "https://host:8080/path"


def test_the_probe_of_the_engine_tells_what_is_installed() -> None:
    from systems.engines.vllm import installed

    rows = {one.name: one for one in engine.look(about(engine={"_target_": "systems.engines.auto.auto"}))}
    assert rows["transformers"].state is State.OK
    assert rows["transformers"].needed is not installed()
    if installed():
        assert (rows["vLLM"].state, rows["vLLM"].needed) == (State.OK, True)
        assert "build" in rows["vLLM"].found
