"""``suite=files``: a user's own documents and questions, and every mistake in them named by file and line."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from bench.begin import planned
from bench.journal import read
from bench.records import Key
from bench.reporting.run_files import check_summary
from bench.tasks.files import files_suite, read_lines
from bench.workspace import Workspace
from systems.base import UserError
from tests.calling import FILES, Outcome, call, small

SAMPLES, DOCUMENTS = FILES / "samples.jsonl", FILES / "documents"


def suite(**settings: Any) -> Any:
    return files_suite(samples=str(SAMPLES), corpus=str(DOCUMENTS), **settings)


def test_each_task_of_the_file_is_a_task_of_its_own() -> None:
    found = {task.name: task for task in suite().tasks}
    assert {name: task.kind for name, task in found.items()} == {
        "questions": "text",
        "desks": "label",
        "orders": "json",
    }
    assert {name: [s.id for s in task.samples("test")] for name, task in found.items()} == {
        "questions": ["1", "2", "3", "4"],
        "desks": ["1", "2"],
        "orders": ["1"],
    }
    assert [s.id for s in found["questions"].samples("development")] == ["d1"]
    assert [s.id for s in found["questions"].samples("train")] == ["t1", "t2"]


def test_what_a_sample_holds() -> None:
    questions, desks, orders = suite().tasks
    first, second, _, absent = questions.samples("test")
    assert (first.reference, first.relevant) == ("30 months", ("quillon-lamp.md",))
    assert second.references == ("a G9 bulb",)
    assert (absent.reference, absent.tags) == (None, {"difficulty": "absent"})
    assert [e.answer for e in first.query.examples] == ["nothing", "1.4 kg"]
    assert desks.samples("test")[0].tags == {"labels": ["claims", "sales"]}
    assert desks.samples("test")[0].query.instruction.endswith("these labels and nothing else: claims, sales.")
    order = orders.samples("test")[0]
    assert order.reference == {"name": "Oskar Brandt", "pieces": 3}
    assert order.query.schema is not None
    assert json.loads(order.query.examples[0].answer) == {"name": "Mira Voss", "pieces": 2}


def test_what_is_learned_comes_from_the_training_split_alone() -> None:
    lessons = suite().lessons()
    assert [lesson.answer(()) for lesson in lessons[:3]] == ["nothing", "1.4 kg", "claims"]
    assert len(lessons) == 5
    tested = {sample.query.text for sample in suite().samples()}
    assert not tested & {lesson.query.text for lesson in lessons}


def test_samples_that_share_a_document_are_one_cluster(tmp_path: Path) -> None:
    rows = [
        {"id": "1", "query": "a", "reference": "x", "relevant": ["one"]},
        {"id": "2", "query": "b", "reference": "x", "relevant": ["one", "two"]},
        {"id": "3", "query": "c", "reference": "x", "relevant": ["two"]},
        {"id": "4", "query": "d", "reference": "x", "relevant": ["three"]},
        {"id": "5", "query": "e", "reference": "x"},
        {"id": "6", "query": "f", "reference": "x", "cluster": "mine"},
    ]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    clusters = [sample.cluster for sample in files_suite(samples=str(path)).samples()]
    assert clusters[:4] == ["one", "one", "two", "three"]
    assert clusters[4:] == ["", "mine"]


def test_filters_reach_the_query_and_come_back_from_the_run(tmp_path: Path) -> None:
    row = {"id": "1", "query": "a", "reference": "x", "filters": {"types": ["policy"], "date_from": "2025-01-01"}}
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps(row))
    [sample] = files_suite(samples=str(path)).samples()
    assert sample.query.filters == {"types": ("policy",), "date_from": "2025-01-01"}
    workspace = Workspace(tmp_path)
    workspace.write_samples([sample])
    assert workspace.read_samples() == [sample]


def test_a_limit_draws_from_all_of_a_sorted_file(tmp_path: Path) -> None:
    rows = [{"id": str(n), "query": f"q{n}", "reference": f"label{n // 40}", "kind": "label"} for n in range(400)]
    rows += [{**row, "id": f"t{row['id']}", "query": f"t{row['id']}", "split": "train"} for row in rows]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    drawn = files_suite(samples=str(path), limit=20, shots=4).samples()
    assert len(drawn) == 20
    assert len({sample.reference for sample in drawn}) >= 6  # the first twenty lines have one label
    assert drawn == files_suite(samples=str(path), limit=20, shots=4).samples()
    shown = [example.answer for example in drawn[0].query.examples]
    assert len(set(shown)) == 4
    assert shown != ["label0", "label1", "label2", "label3"]


def test_a_limit_on_training_takes_labels_in_turn(tmp_path: Path) -> None:
    rows = [{"id": f"t{n}", "query": f"q{n}", "reference": f"label{n // 40}", "kind": "label", "split": "train"}
            for n in range(400)]  # fmt: skip
    rows += [{"id": "1", "query": "x", "reference": "label0", "kind": "label"}]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    lessons = files_suite(samples=str(path), train_limit=20).lessons()
    assert Counter(Counter(lesson.answer(()) for lesson in lessons).values()) == {2: 10}


def test_more_labels_than_can_be_shown_leave_no_gap_in_the_instruction(tmp_path: Path) -> None:
    rows = [{"id": str(n), "query": "q", "reference": f"label{n}", "kind": "label"} for n in range(201)]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    assert "{" not in files_suite(samples=str(path)).samples()[0].query.instruction


def test_the_corpus_and_what_is_said_of_the_data() -> None:
    found = suite()
    assert [document.id for document in found.corpus] == ["delivery.md", "margins.md", "quillon-lamp.md", "returns.md"]
    assert found.corpus[1].metadata["roles"] == ["finance"]
    assert found.parity is None
    assert (found.data["samples"], found.data["documents"]) == ("samples.jsonl", "4")
    assert len(found.data["samples_sha256"]) == 16


def test_retrieval_is_measured_where_relevant_documents_are_named() -> None:
    metrics = {task.name: task.metrics for task in suite().tasks}
    assert "recall_at_5" in metrics["questions"]
    assert "recall_at_5" not in metrics["desks"]


def test_limit_and_shots() -> None:
    found = suite(limit=1, shots=1)
    assert len(found.samples()) == 3
    assert len(found.lessons()) == 5
    assert {len(sample.query.examples) for sample in found.samples()} == {1}


GOOD = '{"id": "a", "query": "Who?", "reference": "me"}'


def written(tmp_path: Path, *lines: str | bytes) -> Path:
    path = tmp_path / "mine.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines) + b"\n")
    return path


def sample(**fields: Any) -> str:
    return json.dumps({"id": "b", "query": "What?", "reference": "this", **fields})


MISTAKES = {
    '{"id": "b", "query"': "not JSON: Expecting ':' delimiter",
    "[1, 2]": 'must be an object such as {"id": "1"',
    '{"id": "b", "query": "What?"}': "reference is missing; every sample has id, query and reference",
    '{"query": "What?", "reference": "x"}': "id is missing",
    '{"id": "b", "reference": "x"}': "query is missing",
    sample(anwser="x"): "unknown field 'anwser'; there are: id, query, reference",
    sample(query=3): "query must be str, not int",
    sample(query=" \t"): "query is empty",
    sample(id=" "): "id is empty",
    sample(id=True): "id must be str or int, not bool",
    sample(id=None): "id must be str or int, not NoneType",
    sample(references="x"): "references must be list, not str",
    sample(references=[1]): "references must hold str, not 1",
    sample(relevant=[None]): "relevant must hold str or int, not None",
    sample(role=3): "role must be str or null, not int",
    sample(filters={"tpyes": []}): "filters: unknown field 'tpyes'; there are: types, versions",
    sample(filters={"versions": 2}): "filters: versions must be list, not int",
    sample(tags=[]): "tags must be dict, not list",
    sample(schema="object"): "schema must be dict, not str",
    sample(schema={"type": "objekt"}): "schema: ",
    sample(schema={"$schema": "https://example.org/mine"}): "schema: ",
    sample(split="testing"): "split 'testing': must be one of train, development, test",
    sample(kind="prose"): "kind 'prose': must be one of text, label, json, open",
    sample(tags={"rules": "short"}): "rules must be a list such as",
    sample(tags={"rules": [{"rule": "style:max_words"}]}): "rule 1: style:max_words needs words: a whole number",
    sample(kind="text", reference={"a": 1}): "reference must be one value for kind text, or give kind json",
    sample(kind="label", reference=["a"]): "reference must be one value for kind label, or give kind json",
    sample(id="a"): "id 'a' stands on line 1 already; ids must differ",
}


@pytest.mark.parametrize(("line", "said"), MISTAKES.items(), ids=range(len(MISTAKES)))
def test_every_mistake_names_its_file_and_line(line: str, said: str, tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, "", line)
    with pytest.raises(UserError) as caught:
        read_lines(path)
    assert str(caught.value).startswith(f"{path}:3: {said}")
    assert "\n" not in str(caught.value)


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD, b'{"id": "b", "query": "caf\xe9", "reference": "x"}')
    with pytest.raises(UserError, match=r"mine.jsonl:2: not UTF-8 at byte 25 of the line"):
        read_lines(path)


def test_odd_but_right_lines_are_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.jsonl"
    raw = json.dumps({"id": "b", "query": "one\u2028two\x85three", "reference": "x"}, ensure_ascii=False)
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.encode() + b"\r\n" + raw.encode() + b"\r\n\r\n")
    assert [line.data["query"] for line in read_lines(path)] == ["Who?", "one\u2028two\x85three"]


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([sample(split="train")], "has no sample with split test, so there is nothing to evaluate"),
        (
            [GOOD, sample(reference={"a": 1})],
            "task 'files' mixes kinds json and text; give the lines another task each",
        ),
        (
            [sample(id="c", kind="open", reference=None), sample(reference=None)],
            "task 'files' mixes kinds open and text; give the lines another task each",
        ),
        ([sample(relevant=["nowhere.md"])], "sample b: relevant document 'nowhere.md' is not in "),
    ],
)
def test_mistakes_of_the_whole_file(lines: list[str], said: str, tmp_path: Path) -> None:
    path = written(tmp_path, *lines)
    with pytest.raises(UserError) as caught:
        files_suite(samples=str(path), corpus=str(DOCUMENTS))
    assert str(caught.value).startswith(f"{path}: {said}")


@pytest.mark.parametrize("setting", ["limit=0", "limit=-1", "shots=-1", "max_tokens=0"])
def test_settings_out_of_range(setting: str) -> None:
    name, _, value = setting.partition("=")
    with pytest.raises(UserError, match=rf"suite\.{setting}: must be "):
        suite(**{name: int(value)})


def test_an_abstention_is_no_label_and_a_truth_value_is_spelled_one_way(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        sample(id=1, kind="label", reference=True),
        sample(id=2, kind="label", reference=None, query="Which?"),
        sample(id=3, kind="label", reference=True, split="train", query="Where?"),
    )
    (task,) = files_suite(samples=str(path)).tasks
    first, absent = task.samples("test")
    assert task.labels == ("true",)
    assert (first.reference, absent.reference, first.query.examples[0].answer) == ("true", None, "true")


RULES = [{"rule": "style:max_words", "words": 5}, {"rule": "style:begins_with", "phrase": "Dear"}]


def test_where_no_one_answer_is_right_a_reference_is_an_example(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        sample(id=1, kind="open", reference=None, tags={"rules": RULES}),
        sample(id=2, kind="open", reference="Dear Ann, yes.", query="Can I?", split="train"),
        sample(id=3, kind="open", reference=None, query="May I?", split="train"),
    )
    found = files_suite(samples=str(path))
    (asked,) = found.samples()
    assert (asked.open, asked.reference, asked.tags["rules"]) == (True, None, RULES)
    # What has no answer teaches nothing, least of all to abstain.
    assert [lesson.answer(()) for lesson in found.lessons()] == ["Dear Ann, yes."]
    assert [example.answer for example in asked.query.examples] == ["Dear Ann, yes."]
    assert set(found.tasks[0].metrics) == {
        *("abstained_rate", "unfaithful_rate", "unfaithful_rate_attempted", "accepted"),
        *("rules_followed", "rules_followed_loose", "rule_share", "rule_share_loose"),
    }


def test_answers_without_a_right_one_are_scored_by_their_rules_from_end_to_end(tmp_path: Path) -> None:
    asked = [sample(id=n, kind="open", reference=None, query=f"{n}?", tags={"rules": RULES}) for n in range(4)]
    answers = [
        {"sample": str(n), "answer": text, "system": "ours"}
        for n, text in enumerate(("Dear Ann, yes.", "Sure:\nDear Ann, no.", "Dear Ann, I can tell you more", None))
    ]
    given = tmp_path / "answers.jsonl"
    given.write_text("\n".join(map(json.dumps, answers)))
    done = call("score", str(written(tmp_path, *asked)), str(given), f"out={tmp_path / 'scored'}")
    assert done.code == 0, done.err
    summary = json.loads(Workspace(tmp_path / "scored").summary.read_text())
    check_summary(summary)
    measures = summary["systems"]["ours"]["tasks"]["files"]
    found = {name: measures[name]["estimate"] for name in measures if measures[name]["unit"] in ("share", "mean")}
    wanted = {"rules_followed": 1 / 4, "rules_followed_loose": 2 / 4, "rule_share": 4 / 8, "rule_share_loose": 5 / 8}
    assert found.items() >= {**wanted, "accepted": 1 / 4, "abstained_rate": 0}.items()
    assert "accuracy" not in found
    page = (tmp_path / "scored" / "report.html").read_text()
    assert "none: no one answer is right" in page
    assert "style:max_words, words: 5" in page


def run(model: Path, place: Path, *further: str, systems: str = "all") -> Outcome:
    arguments = [a for a in small(model) if not a.startswith(("suite.", "systems=", "experiment="))]
    return call("run", *arguments, "suite=files", f"systems={systems}", f"run_dir={place / 'run'}",
                f"builds_dir={place / 'builds'}", *further)  # fmt: skip


def untrained(tmp_path: Path) -> Path:
    kept = [line for line in SAMPLES.read_text().splitlines() if '"split": "train"' not in line]
    return written(tmp_path, *kept)


def systems_of(place: Path) -> tuple[list[str], list[str]]:
    workspace = Workspace(place / "run")
    summary = json.loads(workspace.summary.read_text())
    check_summary(summary)
    return list(summary["systems"]), [finding["text"] for finding in summary["run"]["findings"]]


def test_the_example_runs_from_end_to_end(tiny_model: Path, tmp_path: Path) -> None:
    done = run(tiny_model, tmp_path, f"samples={SAMPLES}", f"corpus={DOCUMENTS}", systems="base")
    assert done.code == 0, done.err
    workspace = Workspace(tmp_path / "run")
    found = Counter(Key(r["system"], r["task"], r["sample"], r["repeat"]) for r in read(workspace.predictions))
    # Ids repeat between tasks: every task's own sample is asked.
    assert found == Counter(planned(["prompt", "rag"], workspace.read_samples(), 1))
    assert found.total() == 2 * (4 + 2 + 1)
    assert systems_of(tmp_path) == (["prompt", "rag"], [])
    hits = [p.retrieved_documents for p in workspace.read_predictions() if p.key == Key("rag", "questions", "1")]
    assert hits[0][0] == "quillon-lamp.md"


def test_without_a_training_split_tuned_systems_are_left_out_with_the_reason(tiny_model: Path, tmp_path: Path) -> None:
    done = run(tiny_model, tmp_path, f"samples={untrained(tmp_path)}", f"corpus={DOCUMENTS}")
    assert done.code == 0, done.err
    reason = "is left out: there is no training split to tune on"
    assert systems_of(tmp_path) == (["prompt", "rag"], [f"finetuned {reason}", f"hybrid {reason}"])
    assert f"hybrid {reason}" in done.err


def test_without_a_corpus_retrieving_systems_are_left_out_with_the_reason(tiny_model: Path, tmp_path: Path) -> None:
    done = run(tiny_model, tmp_path, f"samples={untrained(tmp_path)}")
    assert done.code == 0, done.err
    found, reasons = systems_of(tmp_path)
    assert found == ["prompt"]
    assert "rag is left out: there is no corpus to retrieve from" in reasons


def test_nothing_left_to_run_is_the_users_to_mend(tiny_model: Path, tmp_path: Path) -> None:
    said = run(tiny_model, tmp_path, f"samples={untrained(tmp_path)}", systems="tuned").one_line(2)
    assert said.startswith("bench run: systems: none of them can be built from this suite (finetuned: there is no ")


@pytest.mark.parametrize("changed", ["documents/returns.md", "samples.jsonl"])
def test_a_run_is_not_continued_on_changed_files(changed: str, tiny_model: Path, tmp_path: Path) -> None:
    """Also where no evaluated question changes: documents and training lines make the answers too."""
    data = Path(shutil.copytree(FILES, tmp_path / "files"))
    settings = (f"samples={data / 'samples.jsonl'}", f"corpus={data / 'documents'}")
    assert run(tiny_model, tmp_path, *settings, systems="base").code == 0
    text = (data / changed).read_text()
    (data / changed).write_text(text.replace("costs nothing", "costs 4 marks").replace("1.4 kg", "1.5 kg"))
    said = run(tiny_model, tmp_path, *settings, systems="base").last_line(2)
    assert "was begun with other data (" in said
