"""The store: what names a product, and that nothing half-built ever looks finished."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from systems import lease
from systems.artifacts import Store, _taken_over, content_hash, file_hash, tree_hash, unfinished
from systems.base import Failure, UserError
from systems.lease import Lease

BUILDER = """
import sys, time
from pathlib import Path
from systems.artifacts import Store, unfinished
root, log, seconds = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])
def make(path):
    (path / "half").write_text("half")
    with log.open("a") as file:
        file.write("made\\n")
    (unfinished(path) / "steps").mkdir(parents=True, exist_ok=True)
    time.sleep(seconds)
    (path / "whole").write_text("whole")
print(Store(root).build("index", "k1", make, {"a": 1}), flush=True)
"""


def start_builder(root: Path, log: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(root), str(log), str(seconds)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} never came"
        time.sleep(0.01)


def fill(path: Path) -> None:
    (path / "sub").mkdir()
    (path / "sub" / "whole").write_text("whole")


@dataclass(frozen=True)
class Settings:
    size: int
    names: tuple[str, ...]


def test_hash_is_sha256_of_canonical_json() -> None:
    # printf '{"a":[1,"ü"],"b":null}' | sha256sum
    assert (
        content_hash({"b": None, "a": (1, "ü")}) == "0315e7da7dad15415af50795b6eea22b22929c6804ff4aad3ebbc45ace4a1aa7"
    )
    assert content_hash(Settings(1, ("x",))) == content_hash({"names": ["x"], "size": 1})
    assert content_hash({"a": 1}) != content_hash({"a": "1"})


@pytest.mark.parametrize("value", [{0: "a"}, {"a": {1, 2}}, {"a": float("nan")}, object()])
def test_what_has_no_canonical_json_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        content_hash(value)


def test_tree_hash_sees_names_and_bytes_only(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name / "d").mkdir(parents=True)
        (tmp_path / name / "d" / "f").write_text("x")
    os.utime(tmp_path / "two" / "d" / "f", (0, 0))
    assert file_hash(tmp_path / "one" / "d" / "f").startswith("2d711642b726b044")  # printf x | sha256sum
    assert tree_hash(tmp_path / "one") == tree_hash(tmp_path / "two")
    (tmp_path / "two" / "d" / "f").rename(tmp_path / "two" / "f")
    assert tree_hash(tmp_path / "one") != tree_hash(tmp_path / "two")
    with pytest.raises(UserError, match="not a directory"):
        tree_hash(tmp_path / "three")


def test_a_product_is_made_once_and_described(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert store.get("index", "k1") is None
    path = store.build("index", "k1", fill, {"size": 3})
    assert path == store.path("index", "k1") == store.get("index", "k1") == tmp_path / "index" / "k1"
    assert (path / "sub" / "whole").read_text() == "whole"
    record = json.loads((path / "artifact.json").read_text())
    assert record["inputs"] == {"size": 3}
    assert record["created"].endswith("+00:00")
    assert store.build("index", "k1", lambda _: pytest.fail("made twice"), {}) == path


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        fill(path)
        raise RuntimeError("no")

    with pytest.raises(RuntimeError, match="no"):
        Store(tmp_path).build("index", "k1", fail, {})
    assert [entry.name for entry in (tmp_path / "index").iterdir()] == [".k1.lease.1"]


def test_a_build_killed_halfway_leaves_nothing_that_looks_finished(tmp_path: Path) -> None:
    store, log = Store(tmp_path / "store"), tmp_path / "log"
    builder = start_builder(store.root, log, 60)
    wait_for(log)
    builder.send_signal(signal.SIGKILL)
    builder.wait()
    left = [entry.name for entry in (store.root / "index").iterdir() if "building" in entry.name]
    assert len(left) == 1, "the killed builder was at work"
    assert store.get("index", "k1") is None
    path = store.build("index", "k1", fill, {})
    assert sorted(entry.name for entry in path.iterdir()) == ["artifact.json", "sub"], "nothing of the dead one"
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".k1.lease.2", "k1"], "its leftovers are cleared"


def test_of_two_builders_one_builds_and_one_waits(tmp_path: Path) -> None:
    log = tmp_path / "log"
    builders = [start_builder(tmp_path / "store", log, 0.5) for _ in range(2)]
    paths = {builder.communicate(timeout=60)[0].strip() for builder in builders}
    assert paths == {str(tmp_path / "store" / "index" / "k1")}
    assert log.read_text() == "made\n"


def test_the_waiting_builder_takes_over_from_a_killed_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    first = start_builder(tmp_path / "store", log, 60)
    wait_for(log)
    second = start_builder(tmp_path / "store", log, 0)
    time.sleep(0.5)
    assert second.poll() is None, "waits while the first is alive"
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert second.communicate(timeout=60)[0].strip().endswith("k1")
    assert log.read_text() == "made\nmade\n"


def test_what_a_killed_builder_kept_is_gone_on_from(tmp_path: Path) -> None:
    store, log = Store(tmp_path / "store"), tmp_path / "log"
    builder = start_builder(store.root, log, 60)
    wait_for(log)
    builder.kill()
    builder.wait()

    def fail(path: Path) -> None:
        assert (unfinished(path) / "steps").is_dir()
        raise RuntimeError("no")

    def go_on(path: Path) -> None:
        assert (unfinished(path) / "steps").is_dir()
        assert not any(path.iterdir()), "nothing of the dead one's product"

    with pytest.raises(RuntimeError, match="no"):
        store.build("index", "k1", fail, {})
    path = store.build("index", "k1", go_on, {})
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".k1.lease.3", "k1"]


def test_a_builder_that_stood_still_harms_none_that_took_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, log = Store(tmp_path / "store"), tmp_path / "log"
    late = start_builder(store.root, log, 0.3)
    wait_for(log)
    os.killpg(late.pid, signal.SIGSTOP)
    monkeypatch.setattr(lease, "STALE_SECONDS", 0.5)

    def make(path: Path) -> None:
        os.killpg(late.pid, signal.SIGCONT)
        _, said = late.communicate(timeout=60)
        assert late.returncode == 1
        assert said.splitlines()[-1].endswith(".k1.lease: was taken over while this process stood still; let the "
                                              "other end, run again")  # fmt: skip
        assert store.get("index", "k1") is None
        fill(path)

    path = store.build("index", "k1", make, {})
    assert sorted(entry.name for entry in path.iterdir()) == ["artifact.json", "sub"]
    assert sorted(entry.name for entry in path.parent.iterdir()) == [".k1.lease.2", "k1"]


def test_taken_over_between_the_last_look_and_the_rename_a_builder_has_nothing_to_publish(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = tmp_path / "index" / ".k1.building"
    monkeypatch.setattr(Lease, "confirm", lambda self: _taken_over(moment, self.number + 1))
    with pytest.raises(FileNotFoundError):
        Store(tmp_path).build("index", "k1", fill, {})
    assert Store(tmp_path).get("index", "k1") is None
    assert not (tmp_path / "index" / "k1").exists()


def test_an_earlier_builder_does_not_touch_the_place_of_a_later_one(tmp_path: Path) -> None:
    later = tmp_path / ".k1.building.8" / "product"
    later.mkdir(parents=True)
    assert _taken_over(tmp_path / ".k1.building", 7) == tmp_path / ".k1.building.7"
    assert later.is_dir()


def test_a_full_disk_is_one_line(tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full on this system")

    def fill_disk(_: Path) -> None:
        with open("/dev/full", "w") as file:
            file.write("x")

    with pytest.raises(Failure, match="No space left on device; free some space") as caught:
        Store(tmp_path).build("index", "k1", fill_disk, {})
    assert "\n" not in str(caught.value)
    assert isinstance(caught.value.__cause__, OSError)
    assert caught.value.__cause__.errno == errno.ENOSPC
    assert Store(tmp_path).get("index", "k1") is None


@pytest.mark.parametrize("key", ["", "../k", "a/b", ".hidden"])
def test_keys_cannot_leave_the_store(tmp_path: Path, key: str) -> None:
    with pytest.raises(UserError, match="must be letters"):
        Store(tmp_path).path("index", key)


def test_a_directory_without_description_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "index" / "k1").mkdir(parents=True)
    with pytest.raises(Failure, match="was not built here"):
        Store(tmp_path).build("index", "k1", fill, {})
