"""What a user writes wrongly is one line before anything is scored; what a model writes is scored, and in time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from bench.detectors.closed_world import ClosedWorld
from bench.metrics import json_schema
from bench.metrics.declared import metric
from bench.metrics.json_schema import violation
from bench.metrics.json_text import NotJson, first_value, parse
from bench.metrics.rules.registry import holds
from bench.records import Prediction, Sample
from systems.base import Chunk, Query, UserError
from tests.calling import Outcome, call, start

GOOD = {"id": "a", "query": "Who?", "reference": "me"}


def scored(place: Path, sample: str, answer: str) -> Outcome:
    """``bench score`` of one line each."""
    for name, line in (("q.jsonl", sample), ("a.jsonl", answer)):
        (place / name).write_text(line + "\n", encoding="utf-8", errors="surrogatepass")
    return call("score", str(place / "q.jsonl"), str(place / "a.jsonl"), f"out={place / 'out'}")


def sample(**fields: Any) -> str:
    return json.dumps(GOOD | fields)


def answer(text: str | None = "me", **fields: Any) -> str:
    return json.dumps({"sample": "a", "answer": text, **fields})


NESTED = '{"a":' * 101 + "1" + "}" * 101
SAMPLES = {
    '{"id": "a", "query": "x", "query": "y", "reference": "x"}': "not JSON: key 'query' stands twice in an object",
    '{"id": "a", "query": "x", "reference": NaN}': "not JSON: NaN is not JSON",
    '{"id": "a", "query": "x", "reference": 1e999}': "not JSON: number 1e999 is out of range",
    '{"id": "a", "query": "x", "reference": '
    + "9" * 400
    + "}": "not JSON: number 99999999999999999999 is out of range",
    '{"id": "a", "query": "x", "reference": ' + NESTED + "}": "not JSON: nested more than 100 levels deep",
    '{"id": "a", "query": "x", "reference": ' + "[" * 100_000: "not JSON: nested more than 100 levels deep",
    sample(reference=""): "reference is empty; write null where abstaining is right",
    sample(reference=" \t"): "reference is empty; write null where abstaining is right",
    sample(query="\u200b\ufeff\u202e"): "query is empty",
    sample(task=" "): "task is empty",
    sample(
        filters={"date_from": "yesterday"}
    ): "filters: date_from 'yesterday': must be an ISO date such as 2026-01-31",
    sample(filters={"types": [1]}): "filters: types: what it holds must be str, not int",
    sample(filters={"versions": ["2"]}): "filters: versions: what it holds must be int, not str",
    sample(tags={"judged_by": "x"}): "the tag judged_by is taken (a benchmark's own scoring); give it another name",
    sample(tags={"value_kind": ["money"]}): "tags: value_kind must be str, not list",
    sample(tags={"required": 3}): "tags: required must be list, not int",
    sample(tags={"required": [{"a": 1}]}): "tags: required: what it holds must be str, not dict",
    sample(tags={"parts": ["a"]}): "tags: parts: what it holds must be list, not str",
    sample(tags={"parts": [["a", 1]]}): "tags: parts: a spelling must be str, not int",
    sample(tags={"grades": {"a": "2"}}): "tags: grades: a grade must be int or float, not str",
    sample(tags={"grades": {"a": 0}}): "tags: grades: 0 must be above 0; leave out what is not relevant",
    sample(tags={"phrases": [3]}): "tags: phrases: what it holds must be str, not int",
    sample(kind="json", reference={"a": "a" * 60 + "!"}, schema={"properties": {"a": {"pattern": "^(a|aa)+$"}}}): (
        "the reference does not fit the sample's own schema: could not be judged by the schema within "
    ),
}


@pytest.mark.parametrize(("line", "said"), SAMPLES.items(), ids=range(len(SAMPLES)))
def test_a_sample_that_cannot_be_meant(line: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_schema, "SECONDS", 0.2)
    error = scored(tmp_path, line, answer()).one_line(2)
    assert error.startswith(f"bench score: {tmp_path / 'q.jsonl'}:1: {said}")


ANSWERS = {
    answer(system=" "): "system is empty",
    answer(repeat=-1): "repeat must be 0, 1, 2, ..., not -1",
    answer(repeat=2**64): f"repeat must be 0, 1, 2, ..., not {2**64}",
    answer(passages=[{"text": "x", "title": 3}]): "passage: title must be str, not int",
    answer(passages=[{"text": "x", "id": [1]}]): "passage: id must be str or int, not list",
    answer(passages=[{"text": "x", "docment": "d"}]): "passage: unknown field 'docment'; there are: text, id, title, ",
    answer(passages=[{"text": "x", "id": "1"}, {"text": "y", "id": "1"}]): (
        "passage id '1' stands for another text above; ids must differ"
    ),
}


@pytest.mark.parametrize(("line", "said"), ANSWERS.items(), ids=range(len(ANSWERS)))
def test_an_answer_line_that_cannot_be_meant(line: str, said: str, tmp_path: Path) -> None:
    error = scored(tmp_path, sample(), line).one_line(2)
    assert error.startswith(f"bench score: {tmp_path / 'a.jsonl'}:1: {said}")


SCORES = {
    "system,sample,score\na,1,1_0\nb,1,1\n": "2: score '1_0' is not a number",
    "system,sample,score\na,1,1e308\nb,1,1\n": "2: score '1e308' is out of range; at most 1e+100",
    "system,sample,score,score\na,1,1,0\nb,1,1,0\n": "1: column 'score' stands there twice",
}


@pytest.mark.parametrize(("text", "said"), SCORES.items(), ids=range(len(SCORES)))
def test_a_score_file_that_cannot_be_meant(text: str, said: str, tmp_path: Path) -> None:
    path = tmp_path / "s.csv"
    path.write_text(text)
    assert call("compare", str(path)).one_line(2) == f"bench compare: {path}:{said}"


def test_names_in_a_score_file_are_texts_or_numbers(tmp_path: Path) -> None:
    path = tmp_path / "s.jsonl"
    path.write_text('{"system": "a", "sample": ["1"], "score": 1}\n')
    line = call("compare", str(path)).one_line(2)
    assert line == f"bench compare: {path}:1: sample must be a text or a number, not list"


@pytest.mark.parametrize("stage", ["compare", "report", "score", "detect"])
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 100_000, "not JSON (maximum recursion depth exceeded"),
        ("[1]", "is no manifest, which is an object"),
        ('{"a": 1}', "is not that of a run: it has no config"),
        ('{"config": {}, "metrics": [1]}', "is not that of a run: it has no metrics"),
    ],
    ids=range(4),
)
def test_a_manifest_that_is_none(stage: str, text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(text)
    error = call(stage, str(tmp_path)).one_line(2)
    assert error.startswith(f"bench {stage}: {tmp_path / 'manifest.json'}: {said}")


BACKTRACKS = "^(a|aa)+$"
SCHEMAS: dict[str, tuple[dict[str, Any], Any]] = {
    "a pattern": ({"properties": {"a": {"pattern": BACKTRACKS}}}, {"a": "a" * 60 + "!"}),
    "a pattern of names": ({"patternProperties": {BACKTRACKS: {}}}, {"a" * 60 + "!": 1}),
    "a Unicode class": ({"properties": {"a": {"pattern": "^(\\p{L}|aa)+$"}}}, {"a": "a" * 60 + "!"}),
    "what nothing evaluated": (
        {"unevaluatedProperties": False, "patternProperties": {BACKTRACKS: {}}},
        {"a" * 60 + "!": 1},
    ),
    "branches": (
        {"anyOf": [{"properties": {"a": {"$ref": "#"}}, "required": ["b"]}] * 2},
        json.loads('{"a":' * 60 + "1" + "}" * 60),
    ),
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_that_an_answer_would_keep_busy_for_ever(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_schema, "SECONDS", 0.2)
    schema, value = SCHEMAS[name]
    began = time.monotonic()
    assert violation(schema, value) == "could not be judged by the schema within 0 seconds"
    assert time.monotonic() - began < 5


def test_unique_items_are_found_in_one_pass() -> None:
    schema = {"uniqueItems": True}
    assert violation(schema, [{"x": n} for n in range(50_000)]) is None
    assert violation(schema, [1, True, "1", [1], {"a": 1}, [True]]) is None
    for twice in ([1, 1.0], [{"a": 1, "b": [2]}, {"b": [2.0], "a": 1}], [[1, None], [1, None]]):
        assert violation(schema, twice) is not None


def test_how_deep_json_may_be() -> None:
    assert parse('{"a":' * 100 + "1" + "}" * 100) is not None
    for text in (NESTED, "[" * 101 + "]" * 101, "[" * 100_000):
        with pytest.raises(NotJson, match="nested more than 100 levels deep"):
            parse(text)


@pytest.mark.parametrize("text", ["```" + "a" * 300_000, "[a" * 150_000, '{"a":' * 60_000, "[" * 90 + "1," * 150_000])
def test_the_search_for_a_value_ends(text: str) -> None:
    began = time.monotonic()
    with pytest.raises(NotJson):
        first_value(text)
    assert time.monotonic() - began < 10


MONEY = Sample(
    id="1",
    task="t",
    query=Query(text="What is the fee?"),
    reference="5 euros",
    tags={"value_kind": "money", "entity": "d", "phrases": ("fee",)},
)
PERSON = Sample(id="1", task="t", query=Query(text="Who?"), reference="Ann Bo", tags={"value_kind": "person"})
SHOWN = (Chunk(id="c", text="The fee is 5 euros.", document="d"),)


@pytest.mark.parametrize(
    ("asked", "word"), [(MONEY, "not 5 euros, "), (MONEY, "5 "), (MONEY, "\n"), (PERSON, "Cara Do "), (PERSON, "A. ")]
)
def test_the_closed_world_is_checked_in_linear_time(asked: Sample, word: str) -> None:
    """A square would take minutes: 100,000 characters, against 0.1 s for a tenth."""
    answer = Prediction(system="s", task="t", sample="1", text=word * (100_000 // len(word)), shown=("c",))
    began = time.monotonic()
    ClosedWorld().judge(asked, answer, SHOWN)
    assert time.monotonic() - began < 20


def test_sentences_of_an_endless_word_are_counted() -> None:
    rule = {"rule": "length_constraints:number_sentences", "num_sentences": 2, "relation": "at least"}
    assert holds("a" * 300_000 + ". It ends here.", rule)


ODD = {
    "ten megabytes": "me " * 3_500_000,
    "deep JSON": '{"a":' * 100_000 + "1" + "}" * 100_000,
    "not a number": '{"a": NaN}',
    "a key twice": '{"a": 1, "a": 1}',
    "a number that no float holds": '{"a": 1' + "0" * 5_000 + "}",
    "controls": "\x00\x1b[31mred\x1b[0m\x07\x08",
    "half of a pair": "cut \ud83d",
    "right to left": "\u202eme\u202c\u200b",
    "markup": "<script>alert(1)</script></td><img src=x onerror=alert(1)>",
}


@pytest.mark.parametrize("name", ODD)
def test_whatever_a_model_writes_is_scored(name: str, tmp_path: Path) -> None:
    asked = sample(kind="json", reference={"a": 1}, schema={"properties": {"a": {"multipleOf": 0.5}}})
    done = scored(tmp_path, asked, answer(ODD[name]))
    assert done.code == 0, done.err
    rows = [json.loads(line) for line in (tmp_path / "out" / "scores.jsonl").read_text().splitlines()]
    assert {row["metric"]: row["value"] for row in rows}["format_adherence"] == 0
    assert "<script>alert" not in (tmp_path / "out" / "report.html").read_text()


def test_a_threshold_that_is_no_number(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text('{"question": "q", "passages": "p", "response": "r"}\n')
    line = call("detect", str(path), "detector=lexical", "detector.threshold=nan").one_line(2)
    assert line == "bench detect: detector.threshold=nan: must be 0 or more"


def test_a_measure_is_no_part_of_an_answers_length() -> None:
    """Token overlap and value search over a megabyte."""
    made = Sample(id="1", task="t", query=Query(text="?"), reference="the end")
    said = Prediction(system="s", task="t", sample="1", text="word " * 200_000 + "the end")
    assert metric("accuracy").score(made, said, {}).value == 1
    assert 0 < (metric("token_f1").score(made, said, {}).value or 0) < 1e-4


def test_a_schema_may_have_words_of_its_own_and_must_not_lead_away() -> None:
    assert violation({"type": "object", "requried": ["a"], "properties": {"a": {"format": "mine"}}}, {"a": "x"}) is None
    with pytest.raises(UserError, match="never fetched"):
        violation({"$ref": "file:///etc/hostname"}, {})


def test_names_that_a_terminal_cannot_show(tmp_path: Path) -> None:
    (tmp_path / "q.jsonl").write_text(sample(task="t\ud800") + "\n")
    (tmp_path / "a.jsonl").write_text(answer(system="s\ud800") + "\n")
    done = start("score", str(tmp_path / "q.jsonl"), str(tmp_path / "a.jsonl"), f"out={tmp_path / 'out'}")
    assert done.code == 0, done.err
