"""lm-eval's tasks here and by lm-eval itself, on one model: the same prompts, the same answers, the same scores."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.generate import prediction
from bench.metrics.declared import metric
from bench.records import Key, Prediction
from bench.tasks.base import SelfJudging
from bench.tasks.lm_eval.suite import lm_eval_suite, lm_eval_task
from bench.tasks.lm_eval.task import LmEvalTask
from bench.workspace import prediction_from, sample_from
from systems.base import Chunk, Filters, Hit, UserError
from systems.engines.stub import StubEngine
from systems.engines.transformers import TransformersEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from systems.retrieving import Retrieving
from systems.tuning.examples import TrainingExample, token_examples
from tests.tiny import write_model

TASKS = Path("tests/data/lm_eval")
NAMES = ("doors_choice", "doors_generate", "doors_continue")


@pytest.fixture(autouse=True)
def _in_the_project(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).resolve().parents[2])  # the tasks name their data from there


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Model:
    return write_model(tmp_path_factory.mktemp("model"), weights=True)


@pytest.fixture(scope="module")
def engine(model: Model) -> Iterator[TransformersEngine]:
    made = TransformersEngine(model=model, dtype="float32", device="cpu", batch_size=8)
    yield made
    made.close()


def tasks(**settings: Any) -> dict[str, LmEvalTask]:
    return {task.name: task for task in lm_eval_suite(NAMES, include_path=str(TASKS), **settings).tasks}  # type: ignore[misc]


def answers(task: LmEvalTask, system: Prompted) -> list[Prediction]:
    samples = task.samples("test")
    found = {}
    for index, answer in system.respond(system.prepare(sample.query) for sample in samples):
        found[index] = prediction(Key("prompt", task.name, samples[index].id), answer)
    return [found[index] for index in range(len(samples))]


def means(task: LmEvalTask, system: Prompted) -> dict[str, float]:
    """Every measure of the task, averaged as the run does it."""
    samples, given = task.samples("test"), answers(task, system)
    verdicts = task.verdicts(given)
    found = {}
    for name in task.metrics:
        if name == "accepted":
            continue
        values = [
            metric(name).score(sample, one, {"lm_eval": verdict}).value
            for sample, one, verdict in zip(samples, given, verdicts, strict=True)
        ]
        found[name] = sum(value for value in values if value is not None) / len(values)
    return found


def by_lm_eval(model: Model, **settings: Any) -> dict[str, dict[str, float]]:
    from lm_eval import simple_evaluate
    from lm_eval.tasks import TaskManager

    found = simple_evaluate(
        model="hf",
        model_args={"pretrained": model.path, "dtype": "float32"},
        tasks=list(NAMES),
        task_manager=TaskManager(include_path=str(TASKS), include_defaults=False),
        device="cpu",
        batch_size=8,
        bootstrap_iters=0,
        **settings,
    )
    return dict(found["results"])


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"num_fewshot": 3},
        {"chat_template": True, "num_fewshot": 1},
        {"chat_template": True, "fewshot_as_multiturn": True, "num_fewshot": 2},
    ],
    ids=["as the task says", "three shots", "chat", "chat in turns"],
)
def test_scores_equal_lm_evals_own_run(model: Model, engine: TransformersEngine, settings: dict[str, Any]) -> None:
    system = Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder())
    found = {name: means(task, system) for name, task in tasks(**settings).items()}
    own = dict(settings)
    if "chat_template" in own:
        own["apply_chat_template"] = own.pop("chat_template")
        own.setdefault("fewshot_as_multiturn", False)
    expected = by_lm_eval(model, **own)
    same = {
        ("doors_choice", "lm_eval:acc"): "acc,none",
        ("doors_choice", "lm_eval:acc_norm"): "acc_norm,none",
        ("doors_generate", "lm_eval:exact_match,first-word"): "exact_match,first-word",
        ("doors_generate", "lm_eval:exact_match,whole"): "exact_match,whole",
        ("doors_continue", "lm_eval:acc"): "acc,none",
    }
    for (task, name), theirs in same.items():
        assert found[task][name] == pytest.approx(expected[task][theirs], abs=1e-9), (task, name)
    assert found["doors_choice"]["accuracy"] == found["doors_choice"]["lm_eval:acc"]
    # An untrained model picks a colour by its letters: neither never nor always right.
    assert 0 < found["doors_choice"]["lm_eval:acc"] < 1


def test_log_likelihoods_and_texts_equal_lm_evals_own(model: Model, engine: TransformersEngine) -> None:
    from lm_eval.models.huggingface import HFLM

    theirs = HFLM(pretrained=model.path, dtype="float32", device="cpu", batch_size=8)
    system = Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder())
    for name in ("doors_choice", "doors_continue"):
        task = tasks()[name]
        docs = task._docs[:10]
        expected = theirs.loglikelihood([one for doc in docs for one in doc.instances], disable_tqdm=True)
        found = [output for one in answers(task, system)[:10] for output in one.outputs]
        for mine, (value, greedy) in zip(found, expected, strict=True):
            assert not isinstance(mine, str)
            assert mine.log_likelihood == pytest.approx(value, abs=1e-4)
            assert mine.greedy == greedy
    task = tasks()["doors_generate"]
    texts = theirs.generate_until([one for doc in task._docs for one in doc.instances], disable_tqdm=True)
    assert [one.outputs[0] for one in answers(task, system)] == texts
    assert any(texts)


def test_nothing_right_stands_in_a_query() -> None:
    for name, task in tasks(num_fewshot=0).items():
        for sample in task.samples("test"):
            seen = json.dumps([sample.query.text, [str(call.prompt) for call in sample.query.calls]])
            assert sample.reference not in seen, name
    continued = tasks()["doors_choice"].samples("test")[0].query.calls
    assert [call.continuation for call in continued] == [" red", " green", " blue", " black"]


class Found:
    """A retriever that finds one page."""

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        self.asked = text
        return [Hit(chunk=Chunk(id="c", text="The door is red.", document="d"), score=1.0)], {"search": 0.0}


def test_passages_go_before_the_prompt_and_nothing_else_changes(model: Model) -> None:
    engine, block = StubEngine(model=model), "Passages:\n[1] The door is red.\n\n"
    finder = Found()
    plain = Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder())
    shown = Retrieving(name="rag", model=model, engine=engine, prompt=PromptBuilder(), retriever=finder)
    for settings in ({}, {"chat_template": True, "num_fewshot": 2, "fewshot_as_multiturn": True}):
        for task in tasks(**settings).values():
            query = task.samples("test")[0].query
            without, found = plain.prepare(query), shown.prepare(query)
            assert len(without.requests) == len(found.requests) == len(query.calls)
            for before, after in zip(without.requests, found.requests, strict=True):
                assert after.text.replace(block, "", 1) == before.text
                assert after.text != before.text
                assert after.continuation == before.continuation
    # Retrieval looks for the bare question, without examples.
    assert finder.asked.startswith("What colour is the door of") or finder.asked.startswith("Question: What colour")
    assert finder.asked.count("What colour") == 1


@pytest.mark.parametrize(
    ("search", "expected"),
    [
        ("page", "mellin0"),
        ("{{page}} door", "mellin0 door"),
        (None, "Question: What colour is the door of Mellin0?\nAnswer:"),
    ],
)
def test_what_is_searched_for_can_be_said(search: str | None, expected: str) -> None:
    assert tasks(search=search)["doors_choice"].samples("test")[0].query.search_text() == expected


def test_lessons_are_the_training_split_with_the_right_continuation(model: Model) -> None:
    for name, task in tasks(train_limit=10).items():
        lessons = task.lessons()
        assert len(lessons) == 10
        asked = {sample.query.text for sample in task.samples("test")}
        for lesson in lessons:
            assert lesson.query.text not in asked
            answer = lesson.answer(())
            assert answer is not None
            assert answer.strip() in ("red", "green", "blue", "black"), name
            example = TrainingExample(query=lesson.query, answer=answer)
            [tokens] = token_examples([example], PromptBuilder(), model, 200)
            text = str(model.tokenizer.decode([*tokens.prompt, *tokens.completion[:-1]]))
            assert text == f"{lesson.query.calls[0].prompt}{answer}"


def test_what_is_learned_can_be_said() -> None:
    first = {name: task.lessons()[0] for name, task in tasks(train_limit=1).items()}
    longer = tasks(train_limit=1, lesson="{{colour}}, as {{page}} says")["doors_choice"].lessons()[0]
    right = first["doors_choice"].answer(())
    assert right is not None
    assert str(longer.answer(())).startswith(f"{right}, as ")
    assert longer.query == first["doors_choice"].query
    with pytest.raises(
        UserError, match=r"suite\.lesson=nowhere: task doors_choice has no such field; there are: id, page"
    ):
        tasks(train_limit=1, lesson="nowhere")["doors_choice"].lessons()


def test_a_failed_call_is_wrong_and_stays_in_the_denominator() -> None:
    task = tasks()["doors_choice"]
    samples = task.samples("test")[:2]
    failed = [Prediction(system="prompt", task=task.name, sample=one.id, error="gone") for one in samples]
    assert task.verdicts(failed) == [None, None]
    for name in ("accuracy", "lm_eval:acc"):
        assert metric(name).score(samples[0], failed[0], {"lm_eval": {}}).value == 0.0


def test_a_failed_call_is_told_beside_a_measure_that_it_has_no_value_in(tmp_path: Path) -> None:
    wanted = (TASKS / "doors_choice.yaml").read_text().partition("metric_list:")[0]
    less = wanted.replace("task: doors_choice", "task: doors_less") + (
        "metric_list:\n  - metric: acc\n    aggregation: mean\n    higher_is_better: false\n"
    )
    (tmp_path / "doors_less.yaml").write_text(less)
    [task] = lm_eval_suite([str(tmp_path / "doors_less.yaml")]).tasks
    assert task.metrics == ("lm_eval_loss:acc", "failed_rate")
    sample = task.samples("test")[0]
    failed = Prediction(system="prompt", task=task.name, sample=sample.id, error="gone")
    values = [metric(name).score(sample, failed, {"lm_eval": {}}).value for name in task.metrics]
    assert values == [None, 1.0]
    answered = Prediction(system="prompt", task=task.name, sample=sample.id, text="red")
    values = [metric(name).score(sample, answered, {"lm_eval": {"acc": 0.5}}).value for name in task.metrics]
    assert values == [0.5, 0.0]
    assert "failed_rate" not in tasks()["doors_choice"].metrics


def test_samples_and_answers_survive_the_disk(model: Model, engine: TransformersEngine) -> None:
    import dataclasses

    task = tasks(chat_template=True)["doors_choice"]
    sample = task.samples("test")[0]
    assert sample_from(json.loads(json.dumps(dataclasses.asdict(sample)))) == sample
    [one, *_] = answers(task, Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder()))
    assert prediction_from(json.loads(json.dumps(dataclasses.asdict(one)))) == one


def test_a_task_judges_itself() -> None:
    assert all(isinstance(task, SelfJudging) for task in tasks().values())


def test_measures_that_are_no_mean_are_told() -> None:
    suite = lm_eval_suite(NAMES, include_path=str(TASKS))
    assert suite.data["doors_choice, measures left out"] == "brier_score"
    assert suite.data["doors_continue, measures left out"] == "perplexity"


def test_a_single_task_by_its_file() -> None:
    assert lm_eval_task(str(TASKS / "doors_choice.yaml")).name == "doors_choice"


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"suite\.tasks: has to be given"),
        (["nowhere.yaml"], "knows no task, group, tag or file 'nowhere.yaml'"),
        (["doors_perplexity"], "asks for the perplexity of texts"),
        (["doors_broken"], "doors_broken: could not be loaded"),
        (["doors_no_data"], "doors_no_data: could not be loaded: FileNotFoundError"),
    ],
)
def test_what_cannot_be_is_said_in_a_line(names: list[str], message: str, tmp_path: Path) -> None:
    given = (TASKS / "doors_continue.yaml").read_text()
    for name, before, after in (
        ("doors_perplexity", "output_type: loglikelihood", "output_type: loglikelihood_rolling"),
        ("doors_broken", "metric: acc", "metric: no_such_metric"),
        ("doors_no_data", "test.jsonl", "gone.jsonl"),
    ):
        (tmp_path / f"{name}.yaml").write_text(given.replace("doors_continue", name).replace(before, after))
    with pytest.raises(UserError, match=message) as caught:
        lm_eval_suite(names, include_path=str(tmp_path)).samples()
    assert "\n" not in str(caught.value)
