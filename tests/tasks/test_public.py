"""Readers of public data sets: on small files of their authors' shapes, on the real files where they are at hand."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from bench.config import build, compose
from bench.contamination import check_splits
from bench.metrics.accuracy import Accuracy
from bench.metrics.retrieval import NDCG
from bench.metrics.rules_followed import RulesFollowed
from bench.tasks.base import Suite
from bench.tasks.public.suite import public_suite
from systems.base import Failure, UserError
from tests.metrics.making import prediction
from tests.tasks.ragtruth import RESPONSES, SOURCES

DATA = os.environ.get("KNOWHOW_DATA")
real = pytest.mark.skipif(not DATA, reason="KNOWHOW_DATA names no directory of public test data")


def write(directory: Path, **files: Any) -> Path:
    """Files by name (``__`` for the dot); what is not text is written as JSON."""
    directory.mkdir(exist_ok=True)
    for name, content in files.items():
        path = directory / name.replace("__", ".")
        path.write_text(content if isinstance(content, str) else json.dumps(content))
    return directory


def suite(name: str, path: Path, **settings: Any) -> Suite:
    """As its file in conf/ has it."""
    words = [f"suite.{key}={value}" for key, value in {"path": path, **settings}.items()]
    made: Suite = build(compose([f"suite={name}", *words]).suite)
    return made


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def test_banking77(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        train__csv='text,category\n"Where, please, is my card?",card_arrival\nNo cash came out,cash_missing\n',
        test__csv="text,category\nMy card is not here,card_arrival\n",
    )
    found = suite("banking77", path)
    [task] = found.tasks
    [sample] = task.samples("test")
    assert (sample.query.text, sample.reference) == ("My card is not here", "card_arrival")
    assert sample.query.instruction.endswith("nothing else: card_arrival, cash_missing.")
    assert sample.query.examples[0].query == "Where, please, is my card?"
    assert [lesson.answer(()) for lesson in found.lessons()] == ["card_arrival", "cash_missing"]
    assert task.metrics == ("accuracy", "macro_f1", "accepted")
    assert set(found.data) == {"train.csv", "test.csv", "documents"}


def test_clinc150(tmp_path: Path) -> None:
    parts = {name: [] for name in ("oos_train", "oos_val", "val")}
    whole = {"train": [["move money", "transfer"]], "test": [["send cash", "transfer"]], "oos_test": [["why", "oos"]]}
    found = suite("clinc150", write(tmp_path, data_full__json={**parts, **whole}))
    inside, outside = found.samples()
    assert (inside.reference, inside.tags["out_of_scope"]) == ("transfer", False)
    assert (outside.reference, outside.tags["out_of_scope"]) == ("oos", True)
    assert "out_of_scope_recall" in found.tasks[0].metrics


def test_restaurant8k(tmp_path: Path) -> None:
    said = {
        "userInput": {"text": "Six of us on Friday"},
        "labels": [
            {"slot": "people", "valueSpan": {"endIndex": 3}},
            {"slot": "date", "valueSpan": {"startIndex": 13, "endIndex": 19}},
        ],
    }
    found = suite("restaurant8k", write(tmp_path, train_1__json=[said], test__json=[{"userInput": {"text": "Hello"}}]))
    assert found.lessons()[0].query.text == "Six of us on Friday"
    [sample] = found.samples()
    assert sample.reference == dict.fromkeys(("people", "date", "time", "first_name", "last_name"))
    assert json.loads(found.lessons()[0].answer(()) or "") == {**sample.reference, "people": "Six", "date": "Friday"}
    assert sample.query.schema is not None
    assert "format_adherence" in found.tasks[0].metrics


def test_labels_that_a_hub_has_as_numbers_are_read_by_name(tmp_path: Path) -> None:
    for split, text in (("train", "It is lost"), ("test", "Where is it")):
        row = {"text": text, "label": 1}
        parquet_file(tmp_path / "data" / f"{split}-00000-of-00001.parquet", row, labels={"label": ["cash", "card"]})
        row = {"text": text, "intent": 0}
        parquet_file(
            tmp_path / "clinc" / "plus" / f"{split}-00000-of-00001.parquet", row, labels={"intent": ["oos", "pay"]}
        )
    parquet_file(tmp_path / "clinc" / "plus" / "validation-00000-of-00001.parquet", {"text": "When", "intent": "pay"})
    [sample] = suite("banking77", tmp_path).samples()
    assert (sample.query.text, sample.reference) == ("Where is it", "card")
    [sample] = suite("clinc150", tmp_path / "clinc", config="plus").samples()
    assert (sample.query.text, sample.reference, sample.tags["out_of_scope"]) == ("Where is it", "oos", True)


def test_squad_as_the_hub_has_it(tmp_path: Path) -> None:
    row = {"title": "The_First", "context": "It was Ada."}
    known = {**row, "id": "a", "question": "Who?", "answers": {"text": ["Ada", "Ada"], "answer_start": [7, 7]}}
    unknown = {**row, "id": "b", "question": "Why?", "answers": {"text": [], "answer_start": []}}
    parquet_file(tmp_path / "plain_text" / "validation-00000-of-00001.parquet", known, unknown)
    found = suite("squad", tmp_path)
    first, second = found.samples()
    assert (first.reference, first.references, first.relevant) == ("Ada", (), ("test-0-0",))
    assert (second.reference, second.relevant) == (None, ())
    assert [(d.id, d.title, d.text) for d in found.corpus] == [("test-0-0", "The First", "It was Ada.")]


def test_two_versions_of_squad_beside_each_other_are_named(tmp_path: Path) -> None:
    path = write(tmp_path, **{"dev-v1__1__json": {"data": []}, "dev-v2__0__json": {"data": []}})
    with pytest.raises(UserError, match=r"dev-v1\.1\.json and .*dev-v2\.0\.json: which one"):
        suite("squad", path)


def test_what_the_guest_of_restaurant8k_was_asked_for_is_told(tmp_path: Path) -> None:
    """ "13" stands three times in the authors' test file, once as a time and twice as people."""
    rows = [
        {
            "userInput": {"text": "13"},
            "context": {"requestedSlots": asked},
            "labels": [{"slot": asked[0], "valueSpan": {"endIndex": 2}}],
        }
        for asked in (["time"], ["people"])
    ]
    rows.append({"userInput": {"text": "Jo"}, "context": {"requestedSlots": ["last_name", "first_name", "last_name"]}})
    time, people, name = suite("restaurant8k", write(tmp_path, train_1__json=[], test__json=rows)).samples()
    assert time.query.text == "Asked for: time.\n13"
    assert people.query.text == "Asked for: people.\n13"
    assert name.query.text == "Asked for: first name, last name.\nJo"
    assert [(one.reference["time"], one.reference["people"]) for one in (time, people)] == [("13", None), (None, "13")]


def test_squad(tmp_path: Path) -> None:
    questions = [
        {"id": "a", "question": "Who?", "answers": [{"text": "Ada"}, {"text": "Ada L."}, {"text": "Ada"}]},
        {"id": "b", "question": "Why?", "answers": [], "is_impossible": True},
    ]
    tree = {"data": [{"title": "The_First", "paragraphs": [{"context": "It was Ada.", "qas": questions}]}]}
    found = suite("squad", write(tmp_path, **{"dev-v2__0__json": tree}))
    known, unknown = found.samples()
    assert (known.reference, known.references, known.relevant) == ("Ada", ("Ada L.",), ("test-0-0",))
    assert (unknown.reference, unknown.relevant) == (None, ())
    assert [(d.id, d.title, d.text) for d in found.corpus] == [("test-0-0", "The First", "It was Ada.")]
    assert not found.lessons()


def test_nq_open(tmp_path: Path) -> None:
    rows = lines({"question": "who sings it", "answer": ["Ann", "Ann B."]})
    learned = rows + "\n" + lines({"question": "who wrote it", "answer": ["Bea"]})
    found = suite("nq_open", write(tmp_path, **{"NQ-open__dev__jsonl": rows, "NQ-open__train__jsonl": learned}))
    [sample] = found.samples()
    assert (sample.query.text, sample.reference, sample.references) == ("who sings it?", "Ann", ("Ann B.",))
    # A question that is evaluated is not trained on, though the set holds it twice.
    assert [lesson.query.text for lesson in found.lessons()] == ["who wrote it?"]
    assert found.data["left_out_of_training"] == "1 lines whose question is also evaluated"
    assert not found.corpus


def test_nq_open_as_the_hub_has_it(tmp_path: Path) -> None:
    parquet_file(tmp_path / "nq_open" / "train-00000-of-00001.parquet", {"question": "who wrote it", "answer": ["Bea"]})
    parquet_file(tmp_path / "nq_open" / "validation-00000-of-00001.parquet", {"question": "who", "answer": ["Ann"]})
    found = suite("nq_open", tmp_path)
    assert [one.query.text for one in found.samples()] == ["who?"]
    assert [lesson.query.text for lesson in found.lessons()] == ["who wrote it?"]


def test_popqa(tmp_path: Path) -> None:
    table = 'id\tprop\tquestion\tpossible_answers\ts_pop\n7\tcapital\tCapital of X?\t"[""Y"", ""Why""]"\t120\n'
    [sample] = suite("popqa", write(tmp_path, test__tsv=table)).samples()
    assert (sample.id, sample.reference, sample.references) == ("7", "Y", ("Why",))
    assert sample.tags == {"relation": "capital", "popularity": 120}


RGB = {"id": 3, "query": "Who?", "positive": ["p0", "p1", "p2", "p3"], "negative": ["n0", "n1", "n2", "n3", "n4", "n5"]}
"""A row in the shape of en.json; the texts stand for passages."""


def rgb_texts(found: Suite) -> dict[str, list[str]]:
    """Task → texts of the passages that can be found for its only question."""
    texts = {document.id: document.text for document in found.corpus}
    return {one.task: [texts[name] for name in one.query.search_filters().documents] for one in found.samples()}


def test_rgb(tmp_path: Path) -> None:
    whole = {**RGB, "answer": [["May 5", "5 May"]]}
    parts = {**RGB, "answer": [["Will Smith"], ["Jessica Chastain", "J. Chastain"]], "positive": [["a0", "a1"], ["b0"]]}
    wrong = {**RGB, "answer": "Tampa", "fakeanswer": "Graz", "positive_wrong": ["w0", "w1"]}
    for name, row in {"en": whole, "en_int": parts, "en_fact": wrong}.items():
        (tmp_path / f"{name}.json").write_text(lines(row))  # JSON lines, whatever the name says
    found = suite("rgb", tmp_path, noise_rate=0.6)
    assert rgb_texts(found) == {
        "noise_robustness": ["p0", "p1", "n0", "n1", "n2"],
        "negative_rejection": ["n0", "n1", "n2", "n3", "n4"],
        "information_integration": ["a0", "b0", "n0", "n1", "n2"],
        "counterfactual_robustness": ["w0", "w1"],
    }
    noisy, rejected, joined, misled = found.samples()
    assert (noisy.reference, noisy.references) == ("May 5", ("5 May",))
    assert noisy.relevant == ("en-3-positive-0", "en-3-positive-1")
    assert (rejected.reference, rejected.relevant, rejected.open) == (None, (), False)
    assert joined.relevant == ("en_int-3-positive-0", "en_int-3-positive-1")
    assert (misled.reference, misled.relevant) == ("Tampa", ())
    assert "rules_followed" in found.tasks[3].metrics
    assert not found.lessons()


def test_all_parts_of_an_answer_of_rgb_are_wanted_each_in_any_spelling(tmp_path: Path) -> None:
    answers = [[["Will Smith"], ["Jessica Chastain", "J. Chastain"]], ["Paris", "Rome"], "Graz", ["1910", ["x", "y"]]]
    rows = [{**RGB, "id": number, "answer": answer} for number, answer in enumerate(answers)]
    (tmp_path / "en.json").write_text(lines(*rows))
    samples = {one.id: one for one in suite("rgb", tmp_path).samples() if one.task == "noise_robustness"}
    said = {
        "0": {"Will Smith and J. Chastain": 1, "Will Smith": 0, "Jessica Chastain": 0},
        "1": {"Rome, then Paris.": 1, "Paris": 0},
        "2": {"In Graz": 1, "Here": 0},
        "3": {"y in 1910": 1, "1910": 0, "x y": 0},
    }
    for name, texts in said.items():
        for text, value in texts.items():
            assert Accuracy().score(samples[name], prediction(text), {}).value == value, text


def test_what_rgb_asks_models_to_say_is_understood(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text(lines({**RGB, "answer": "Tampa"}))
    (tmp_path / "en_fact.json").write_text(lines({**RGB, "answer": "Tampa", "positive_wrong": ["w"]}))
    samples = {one.task: one for one in suite("rgb", tmp_path).samples()}
    declined = prediction("I can not answer the question because of the insufficient information in documents.")
    assert Accuracy().score(samples["negative_rejection"], declined, {}).value == 1
    assert Accuracy().score(samples["negative_rejection"], prediction("Tampa"), {}).value == 0
    misled = samples["counterfactual_robustness"]
    said = {
        "There are factual errors in the provided documents. It is Tampa.": (1, 1),
        "Tampa.": (1, 0),
        "Graz": (0, 0),
    }
    for text, (right, detected) in said.items():
        assert Accuracy().score(misled, prediction(text), {}).value == right
        assert RulesFollowed().score(misled, prediction(text), {}).value == detected


def test_settings_of_rgb_have_a_range(tmp_path: Path) -> None:
    (tmp_path / "en.json").write_text(lines({**RGB, "answer": "Tampa"}))
    with pytest.raises(UserError, match=r"suite\.noise_rate=1: must be 0 or more and below 1"):
        suite("rgb", tmp_path, noise_rate=1)
    with pytest.raises(UserError, match=r"suite\.passages=0: must be 1 or more"):
        suite("rgb", tmp_path, passages=0)
    with pytest.raises(UserError, match=r"has no en_refine\.json, en\.json, en_int\.json or en_fact\.json"):
        suite("rgb", write(tmp_path / "none"))


def test_multihop_rag(tmp_path: Path) -> None:
    article = {"title": "T", "body": "B", "url": "u1", "category": "tech", "published_at": "2023-10-09T10:00:00+00:00"}
    asked = {
        "query": "Who both?",
        "answer": "Ann",
        "question_type": "inference_query",
        "evidence_list": [{"url": "u1"}],
    }
    none = {"query": "Who?", "answer": "Insufficient information.", "question_type": "null_query", "evidence_list": []}
    found = suite("multihop_rag", write(tmp_path, corpus__json=[article], MultiHopRAG__json=[asked, none]))
    known, unknown = found.samples()
    assert (known.reference, known.relevant, known.tags) == ("Ann", ("u1",), {"type": "inference_query"})
    assert unknown.reference is None
    assert found.corpus[0].metadata == {"type": "tech", "date": "2023-10-09"}


def test_financebench(tmp_path: Path) -> None:
    evidence = [
        {"doc_name": "3M_2018_10K", "evidence_page_num": 59, "evidence_text": "x", "evidence_text_full_page": "X"}
    ]
    row = {"financebench_id": "f1", "doc_name": "d", "question": "Q?", "answer": "$1577", "evidence": evidence * 2}
    found = suite("financebench", write(tmp_path, financebench_open_source__jsonl=lines(row)))
    [sample] = found.samples()
    assert (sample.reference, sample.relevant) == ("$1577", ("3M_2018_10K p59",))
    assert [document.text for document in found.corpus] == ["X"]


def test_json_schema_bench(tmp_path: Path) -> None:
    row = {"unique_id": "o1", "json_schema": '{"type": "object", "required": ["a"]}'}
    found = suite("json_schema_bench", write(tmp_path, test__jsonl=lines(row)))
    [sample] = found.samples()
    assert sample.query.schema == {"type": "object", "required": ["a"]}
    assert (sample.open, sample.reference) == (True, None)
    assert found.tasks[0].metrics == ("format_adherence", "format_repaired")


def parquet_file(path: Path, *rows: Any, labels: Any = None) -> None:
    """As a hub keeps it; ``labels``: names of the labels that a column has as numbers, by column."""
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    table = pyarrow.Table.from_pylist(list(rows))
    features = {key: {"names": names, "_type": "ClassLabel"} for key, names in (labels or {}).items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    parquet.write_table(
        table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})}), path
    )


CONFIGS = ("Github_easy", "Github_hard", "Kubernetes")


def json_schema_hub(path: Path) -> Path:
    """Folders as in the hub's epfl-dlab/JSONSchemaBench, where ``data`` holds all splits of each together."""
    for name in CONFIGS:
        row = {"unique_id": f"{name}_1", "json_schema": '{"type": "object"}'}
        for split in ("train", "val", "test"):
            parquet_file(path / name / f"{split}-00000-of-00001.parquet", row)
        parquet_file(path / "data" / f"{name}-00000-of-00001.parquet", row)
    return path


def test_every_configuration_of_json_schema_bench_is_a_task(tmp_path: Path) -> None:
    found = suite("json_schema_bench", json_schema_hub(tmp_path))
    assert [(task.name, [one.id for one in task.samples("test")]) for task in found.tasks] == [
        (name, [f"{name}_1"]) for name in CONFIGS
    ]
    assert set(found.data) == {*(f"{name}/test-00000-of-00001.parquet" for name in CONFIGS), "documents"}
    one = suite("json_schema_bench", tmp_path, config="Github_hard")
    assert [(task.name, len(task.samples("test"))) for task in one.tasks] == [("Github_hard", 1)]
    with pytest.raises(UserError, match=r"suite\.config=Github: .* no such folder .*: Github_easy, Github_hard, Kub"):
        suite("json_schema_bench", tmp_path, config="Github")


def test_all_shards_are_read_in_order(tmp_path: Path) -> None:
    for number in range(12):
        row = {"question": f"who {number}", "answer": ["Ann"]}
        parquet_file(tmp_path / "nq_open" / f"validation-{number:05}-of-00012.parquet", row)
        parquet_file(tmp_path / "converted" / "nq_open" / "validation" / f"{number:04}.parquet", row)
    asked = [f"who {number}?" for number in range(12)]
    for path in (tmp_path, tmp_path / "converted"):
        assert [one.query.text for one in suite("nq_open", path).samples()] == asked
    (tmp_path / "nq_open" / "validation-00003-of-00012.parquet").unlink()
    with pytest.raises(UserError, match=r"validation-00000-of-00012\.parquet: shard 3 of 12 is missing beside it"):
        suite("nq_open", tmp_path)


@pytest.mark.parametrize(
    "names",
    [
        ("one/validation-00000-of-00001.parquet", "two/validation-00000-of-00001.parquet"),
        ("validation-00000-of-00002.parquet", "validation-00000-of-00001.parquet"),
        ("old_validation.parquet", "new_validation.parquet"),
    ],
)
def test_several_files_that_are_not_shards_of_one_are_named(names: tuple[str, str], tmp_path: Path) -> None:
    for name in names:
        parquet_file(tmp_path / name, {"question": "who", "answer": ["Ann"]})
    with pytest.raises(UserError, match="which one") as error:
        suite("nq_open", tmp_path)
    assert all(name in str(error.value) for name in names)
    assert "\n" not in str(error.value)


def test_schemas_that_no_answer_can_be_judged_by_are_left_out_and_told(tmp_path: Path) -> None:
    good = {"unique_id": "o1", "json_schema": '{"type": "object"}'}
    lost = {"unique_id": "o2", "json_schema": '{"properties": {"a": {"$ref": "https://example.org/s.json"}}}'}
    found = suite("json_schema_bench", write(tmp_path / "both", test__jsonl=lines(good, lost)))
    assert [sample.id for sample in found.samples()] == ["o1"]
    assert found.data["left_out_of_test"].startswith("1 schemas that no answer can be judged by, the first o2: ")
    with pytest.raises(UserError, match="no schema can be judged by; the first is o2"):
        suite("json_schema_bench", write(tmp_path / "lost", test__jsonl=lines(lost)))


RULES = ("rules_followed", "rules_followed_loose", "rule_share", "rule_share_loose")


def test_ifeval(tmp_path: Path) -> None:
    rows = [
        {
            "key": 1000,
            "prompt": "Write 300 words without a comma.",
            "instruction_id_list": ["punctuation:no_comma", "length_constraints:number_words"],
            "kwargs": [{}, {"relation": "at least", "num_words": 300}],
        },
        {  # as on the hub: every argument of every rule stands there
            "key": 1001,
            "prompt": "Put it in quotes.",
            "instruction_id_list": ["startend:quotation"],
            "kwargs": [{"num_words": None, "relation": None}],
        },
    ]
    found = suite("ifeval", write(tmp_path, input_data__jsonl=lines(*rows)))
    [task] = found.tasks
    first, second = task.samples("test")
    assert (first.id, first.open, first.reference, first.query.instruction) == ("1000", True, None, "")
    assert first.tags["rules"] == [
        {"rule": "punctuation:no_comma"},
        {"rule": "length_constraints:number_words", "relation": "at least", "num_words": 300},
    ]
    assert second.tags["rules"] == [{"rule": "startend:quotation"}]
    assert task.metrics == (*RULES, "accepted")
    assert not found.lessons()
    assert not found.corpus


@pytest.mark.parametrize(
    ("names", "kwargs", "message"),
    [
        (["punctuation:no_comma"], [], "input_data.jsonl:1: 1 instruction ids, but 0 kwargs"),
        (["punctuation:no_coma"], [{}], "ifeval, sample 1: rule 1: unknown rule 'punctuation:no_coma'; there are: "),
        (["startend:end_checker"], [{"end_phrase": None}], "sample 1: rule 1: startend:end_checker needs end_phrase: "),
    ],
)  # fmt: skip
def test_a_wrong_row_of_ifeval_is_named(names: list[str], kwargs: list[Any], message: str, tmp_path: Path) -> None:
    row = {"key": 1, "prompt": "p", "instruction_id_list": names, "kwargs": kwargs}
    with pytest.raises(UserError) as error:
        suite("ifeval", write(tmp_path, input_data__jsonl=lines(row)))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_ragtruth(tmp_path: Path) -> None:
    found = suite("ragtruth", write(tmp_path, source_info__jsonl=lines(*SOURCES), response__jsonl=lines(*RESPONSES)))
    [sample] = found.samples()
    assert (sample.id, sample.query.text, sample.open, sample.reference) == ("1", "how to cook beets", True, None)
    assert sample.relevant == ("1-1", "1-2")
    assert [document.text for document in found.corpus] == ["Bake them.", "Or boil."]
    assert {"unfaithful_rate", "abstained_rate", "accepted", "success_at_5"} <= set(found.tasks[0].metrics)
    assert "accuracy" not in found.tasks[0].metrics
    assert set(found.data) == {"response.jsonl", "source_info.jsonl", "documents"}


def test_an_answer_of_ragtruth_without_its_source_is_named(tmp_path: Path) -> None:
    files = {"source_info__jsonl": lines(SOURCES[0]), "response__jsonl": lines(*RESPONSES)}
    with pytest.raises(UserError, match=r"response 4: source_info.jsonl has no source_id 2"):
        suite("ragtruth", write(tmp_path, **files))


def test_beir(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    path = write(
        tmp_path,
        corpus__jsonl=lines({"_id": "d1", "title": "T", "text": "x"}, {"_id": "d2", "text": "y"}),
        queries__jsonl=lines({"_id": "q1", "text": "one"}, {"_id": "q2", "text": "never judged"}),
        **{"qrels/test__tsv": "query-id\tcorpus-id\tscore\nq1\td2\t1\nq1\td1\t0\n"},
    )
    found = suite("beir", path)
    [sample] = found.samples()
    assert (sample.id, sample.relevant) == ("q1", ("d2",))
    assert "ndcg_at_10" in found.tasks[0].metrics
    assert "accuracy" not in found.tasks[0].metrics


def test_beir_keeps_grades_and_never_finds_the_query_itself(tmp_path: Path) -> None:
    (tmp_path / "qrels").mkdir()
    path = write(
        tmp_path,
        corpus__jsonl=lines({"_id": "d0", "text": "x"}, {"_id": "d1", "text": "y"}, {"_id": "q2", "text": "two"}),
        queries__jsonl=lines({"_id": "q1", "text": "one"}, {"_id": "q2", "text": "two"}),
        **{"qrels/test__tsv": "query-id\tcorpus-id\tscore\nq1\td0\t2\nq1\td1\t1\nq2\td1\t1\n"},
    )
    graded, own = suite("beir", path).samples()
    answer = prediction(retrieved=("a", "b"), retrieved_documents=("d1", "d0"))
    assert NDCG(10).score(graded, answer, {}).value == pytest.approx(0.8597, abs=1e-4)
    assert (graded.tags, graded.query.search_filters().without) == ({"grades": {"d0": 2, "d1": 1}}, ())
    assert (own.tags, own.query.search_filters().without) == ({}, ("q2",))


def test_every_set_has_a_test_here() -> None:
    files = (Path(__file__).parents[2] / "conf" / "suite").glob("*.yaml")
    sets = {file.stem for file in files if "reader:" in file.read_text()}
    assert {name for name in sets if f"test_{name}" not in globals()} == set()


def test_parquet_and_gzip_are_read_as_well(tmp_path: Path) -> None:
    import gzip

    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow

    row = {"question": "who", "answer": ["Ann"]}
    parquet.write_table(pyarrow.Table.from_pylist([row]), tmp_path / "validation-0.parquet")
    assert suite("nq_open", tmp_path).samples()[0].reference == "Ann"
    (tmp_path / "validation-0.parquet").unlink()
    (tmp_path / "validation.jsonl.gz").write_bytes(gzip.compress(lines(row).encode()))
    assert suite("nq_open", tmp_path).samples()[0].reference == "Ann"


@pytest.mark.parametrize(
    ("files", "settings", "message"),
    [
        ({}, {}, "has no train.jsonl or "),
        ({"train__csv": "a,b\n1,2\n"}, {}, "a row of banking77 has no 'text'; is it another data set?"),
        ({"train__jsonl": "{"}, {}, "train.jsonl:1: not JSON: "),
        ({"train__json": "[{]"}, {}, "train.json: cannot be read as a table: "),
        ({"train__csv": "text,category\n,x\n", "test__csv": "text,category\n"}, {}, "sample 1: query is empty"),
        ({}, {"limit": 0}, "suite.limit=0: must be 1 or more"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said(tmp_path: Path, files: Any, settings: Any, message: str) -> None:
    with pytest.raises(UserError) as error:
        suite("banking77", write(tmp_path, **files), **settings)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_place_to_read_from_has_to_be_given(tmp_path: Path) -> None:
    reader = "bench.tasks.public.popqa.read"
    with pytest.raises(UserError, match=r"suite\.path: has to be given with suite=popqa"):
        public_suite("popqa", reader)
    with pytest.raises(UserError, match=r"no such directory; give the one that holds popqa's files"):
        public_suite("popqa", reader, path=str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match=r"suite\.revision: has to be given with suite\.hub=a/b"):
        public_suite("popqa", reader, hub="a/b")


def test_a_hub_that_cannot_be_reached_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        Failure, match=r"suite\.hub=a/b: could not be fetched: .*; give suite\.path=DIR instead"
    ) as error:
        public_suite("popqa", "bench.tasks.public.popqa.read", hub="a/b", revision="0" * 40)
    assert "\n" not in str(error.value)


@real
@pytest.mark.parametrize(
    ("name", "tests", "lessons", "nearly"),
    [
        # Lessons: the training lines, less the 53, 85 and 205 whose question is evaluated too.
        ("banking77", 3080, 9950, 162),
        ("clinc150", 5500, 15015, 111),
        ("restaurant8k", 3731, 3894, 33),
    ],
)
def test_the_real_files(name: str, tests: int, lessons: int, nearly: int) -> None:
    found = suite(name, Path(str(DATA)) / name)
    assert (len(found.samples()), len(found.lessons()), len(found.corpus)) == (tests, lessons, 0)
    [told] = [finding["text"] for finding in check_splits(found) if finding["level"] == "warning"]
    assert told.startswith(f"{name}: {nearly} evaluation question(s) stand in what is trained on nearly word for word")


@real
def test_ragtruth_with_its_passages_beside_each_answer() -> None:
    found = suite("ragtruth", Path(str(DATA)) / "ragtruth_qa")
    assert (len(found.samples()), len(found.corpus)) == (75, 225)
    assert {len(sample.relevant) for sample in found.samples()} == {3}


@real
def test_scifact_in_the_layout_of_beir() -> None:
    found = suite("beir", Path(str(DATA)) / "scifact")
    assert (len(found.samples()), len(found.corpus)) == (300, 5183)
    assert sum(len(sample.relevant) for sample in found.samples()) == 339
