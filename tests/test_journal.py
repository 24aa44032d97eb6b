"""The journal: what was appended is there, once, whatever happened to the process or the file."""

from __future__ import annotations

import fcntl
import json
import os
import random
import signal
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.journal import Journal, read, seal, unseal, write_atomically
from bench.records import Prediction
from systems.base import Failure, Likelihood, UserError
from tests.calling import environment

TEXT = st.text(st.characters(exclude_categories=()))
"""Any text, lone surrogates and line separators among it."""
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
RECORDS = [{"n": 0, "text": "plain"}, {"n": 1, "text": 'quo"te\nline\u2028sep ü'}, {"n": 2, "crc": "mine"}]


def rejoined(value: Any) -> Any:
    """As JSON reads it: two surrogates that stand side by side become the one character they spell."""
    return json.loads(json.dumps(value))


def test_a_dataclass_is_written_by_its_fields() -> None:
    found = Prediction(
        system="rag", task="t", sample="1", shown=("a",), outputs=("x", Likelihood(log_likelihood=-1.5, greedy=True))
    )
    assert seal(vars(found)) == seal(asdict(found))
    with pytest.raises(TypeError):
        seal({"path": Path("x")})


@given(st.dictionaries(TEXT, JSON, max_size=4))
def test_a_sealed_record_comes_back_and_is_one_line_of_json(record: dict[str, Any]) -> None:
    line = seal(record)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert unseal(line) == rejoined(record)
    assert {key: value for key, value in json.loads(line).items() if key != "crc"} == {
        key: value for key, value in rejoined(record).items() if key != "crc"
    }


@given(st.dictionaries(TEXT, JSON, max_size=3), st.data())
@settings(max_examples=60)
def test_no_torn_or_altered_line_is_taken_for_a_record(record: dict[str, Any], data: st.DataObject) -> None:
    line = seal(record)
    assert unseal(line[: data.draw(st.integers(0, len(line) - 1))]) is None
    place = data.draw(st.integers(0, len(line) - 1))
    altered = line[:place] + bytes([line[place] ^ 1 << data.draw(st.integers(0, 7))]) + line[place + 1 :]
    assert unseal(altered) is None


@given(st.binary(max_size=200))
def test_garbage_is_no_record(garbage: bytes) -> None:
    assert unseal(garbage) is None


def filled(path: Path) -> Path:
    with Journal(path) as journal:
        for record in RECORDS:
            journal.append(record)
    return path


def test_a_journal_torn_at_any_byte_keeps_whole_lines_and_goes_on(tmp_path: Path) -> None:
    whole = filled(tmp_path / "whole.jsonl").read_bytes()
    ends = [place + 1 for place, byte in enumerate(whole) if byte == ord("\n")]
    for cut in range(len(whole)):
        path = tmp_path / "torn.jsonl"
        path.write_bytes(whole[:cut])
        kept = sum(end <= cut for end in ends)
        assert list(read(path)) == RECORDS[:kept]
        with Journal(path) as journal:
            assert journal.records == RECORDS[:kept]
            for record in RECORDS[kept:]:
                journal.append(record)
        assert path.read_bytes() == whole


def test_surrogates_do_not_shift_where_a_torn_line_is_cut(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        journal.append({"text": "\ud83d\ude00 and \ud800"})
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"torn')
    Journal(path).close()
    assert path.read_bytes() == whole


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("damage", [b"\0", b"\n", b""])
def test_a_damaged_line_before_others_is_an_error_that_names_it(tmp_path: Path, number: int, damage: bytes) -> None:
    path = filled(tmp_path / "journal.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    lines[number - 1] = lines[number - 1][:7] + damage + lines[number - 1][8:]
    path.write_bytes(b"".join(lines))
    before = path.read_bytes()
    for reading in (lambda: list(read(path)), lambda: Journal(path)):
        with pytest.raises(UserError, match=f"journal.jsonl:{number}: damaged line"):
            reading()
    assert path.read_bytes() == before


def test_records_before_the_damage_are_still_read_one_by_one(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.jsonl")
    path.write_bytes(path.read_bytes().replace(b'"n":1', b'"n":7'))
    rows = read(path)
    assert next(rows) == RECORDS[0]
    with pytest.raises(UserError):
        next(rows)


def test_a_damaged_last_line_is_cut_and_done_again(tmp_path: Path) -> None:
    path = filled(tmp_path / "journal.jsonl")
    whole = path.read_bytes()
    path.write_bytes(whole.replace(b'"n":2', b'"n":9'))
    with Journal(path) as journal:
        assert journal.records == RECORDS[:2]
        journal.append(RECORDS[2])
    assert path.read_bytes() == whole


def test_a_writer_that_lost_the_run_reaches_nothing_that_is_read(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as late:
        late.append(RECORDS[0])
        assert list(read(path)) == RECORDS[:1]  # readers are let in
        with Journal(path) as journal:
            late.append(RECORDS[1])
            journal.append(RECORDS[1])
            late.append(RECORDS[1])
            journal.append(RECORDS[2])
    assert list(read(path)) == RECORDS


def test_a_journal_needs_no_lock_of_the_kernel(tmp_path: Path) -> None:
    """On some network file systems a dead client's is never freed."""
    path = filled(tmp_path / "journal.jsonl")
    with path.open("rb") as dead:
        fcntl.flock(dead, fcntl.LOCK_EX)
        with Journal(path) as journal:
            assert journal.records == RECORDS


def test_a_missing_journal_is_empty(tmp_path: Path) -> None:
    assert list(read(tmp_path / "none.jsonl")) == []


def test_a_place_that_cannot_be_written_is_a_failure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Failure, match="cannot be written"):
        Journal(tmp_path / "file" / "journal.jsonl")
    with pytest.raises(Failure, match="cannot be written"):
        write_atomically(tmp_path / "file" / "summary.json", "{}")


def test_a_refused_write_leaves_no_part_of_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = filled(tmp_path / "journal.jsonl")
    whole = path.read_bytes()
    journal = Journal(path)
    file = journal._file

    class Filling:
        """Takes three bytes, then the disk is full."""

        taken = False

        def write(self, data: bytes) -> int:
            if self.taken:
                raise OSError(28, "No space left on device")
            self.taken = True
            return file.write(data[:3])

        def __getattr__(self, name: str) -> Any:
            return getattr(file, name)

    monkeypatch.setattr(journal, "_file", Filling())
    with pytest.raises(Failure, match=r"journal.jsonl: cannot be written: No space left on device; free some space"):
        journal.append(RECORDS[0])
    assert path.read_bytes() == whole
    journal.close()


APPENDING = """
import sys
from pathlib import Path
from bench.journal import Journal
journal = Journal(Path(sys.argv[1]), sync_seconds=0.01)
number = len(journal.records)
while True:
    journal.append({"number": number, "text": "x" * (number % 700)})
    sys.stdout.write(f"{number}\\n")
    sys.stdout.flush()
    number += 1
"""


def test_a_killed_writer_loses_nothing_that_append_returned_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    rng = random.Random(20)
    acknowledged = -1
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-c", APPENDING, str(path)], stdout=subprocess.PIPE, env=environment()
        ) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(rng.uniform(0, 0.02))
            os.kill(writer.pid, signal.SIGKILL)
            said = first + writer.stdout.read()
        last = said.rpartition(b"\n")[0].rpartition(b"\n")[2]
        acknowledged = max(acknowledged, int(last))
        numbers = [record["number"] for record in read(path)]
        assert numbers == list(range(len(numbers)))
        assert len(numbers) in (acknowledged + 1, acknowledged + 2)  # one more may be whole and not yet told
    with Journal(path) as journal:
        assert len(journal.records) == len(numbers)


REPLACING = """
import os, signal, sys
from pathlib import Path
from bench.journal import write_atomically
replace = os.replace
def killed(part, path):
    if sys.argv[2] == "after":
        replace(part, path)
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = killed
write_atomically(Path(sys.argv[1]), "new")
"""


@pytest.mark.parametrize(("moment", "found"), [("before", "old"), ("after", "new")])
def test_a_kill_around_the_rename_leaves_the_old_file_or_the_new(tmp_path: Path, moment: str, found: str) -> None:
    path = tmp_path / "summary.json"
    path.write_text("old")
    done = subprocess.run([sys.executable, "-c", REPLACING, str(path), moment], env=environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert path.read_text() == found
    write_atomically(path, "newer")
    assert path.read_text() == "newer"


def test_records_that_do_not_count_are_taken_out_to_be_made_again(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as journal:
        for record in RECORDS:
            journal.append(record)
    with Journal(path, keep=lambda record: record["n"] != 1) as journal:
        assert [record["n"] for record in journal.records] == [0, 2]
        journal.append({"n": 1, "text": "anew"})
    assert [(record["n"], record.get("text")) for record in read(path)] == [(0, "plain"), (2, None), (1, "anew")]
    assert [one.name for one in tmp_path.iterdir()] == ["journal.jsonl"]
