"""vLLM, for real: the same tokens as transformers, adapters per request, answers as they finish."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from systems.base import Failure, Message, Query, Request, Sampling, UserError
from systems.engines.transformers import TransformersEngine
from systems.engines.vllm import VllmEngine
from systems.model import Adapter, Model
from systems.tuning.merging import merge
from tests.real.conftest import BUILDER
from tests.tiny import write_adapter

pytestmark = pytest.mark.engine


def requests(queries: list[Query], adapter: Path | None = None) -> list[Request]:
    path = str(adapter) if adapter else None
    sampling = Sampling(max_tokens=12)
    return [Request(messages=BUILDER.messages(query), sampling=sampling, adapter=path) for query in queries]


def tokens(engine: VllmEngine | TransformersEngine, asked: list[Request]) -> list[tuple[int, ...]]:
    """Token ids in the order of the requests, without the end mark."""
    end = engine.model.tokenizer.eos_token_id
    found = dict(engine.generate(asked))
    return [tuple(t for t in found[number].token_ids if t != end) for number in range(len(asked))]


def test_base_tokens_equal_transformers(engine: VllmEngine, pocket: Model, queries: list[Query]) -> None:
    reference = TransformersEngine(model=replace(pocket), dtype="float32", device="cpu")
    assert tokens(engine, requests(queries)) == tokens(reference, requests(queries))


def test_adapter_tokens_equal_transformers(
    engine: VllmEngine, pocket: Model, queries: list[Query], adapter: Path
) -> None:
    reference = TransformersEngine(model=replace(pocket), dtype="float32", device="cpu")
    ours = tokens(engine, requests(queries, adapter))
    assert ours == tokens(reference, requests(queries, adapter))
    assert ours != tokens(engine, requests(queries)), "the adapter changes nothing: it is not applied"


def test_likelihoods_equal_transformers(engine: VllmEngine, pocket: Model, queries: list[Query], adapter: Path) -> None:
    """Of one token and of several, alone and in one batch with generation, with the adapter and without."""
    reference = TransformersEngine(model=replace(pocket), dtype="float32", device="cpu")
    said = dict(engine.generate(requests(queries[:3])))
    asked: list[Request] = []
    for path in (None, str(adapter)):
        for number, query in enumerate(queries):
            prompt = tuple(pocket.encode(BUILDER.messages(query)))
            own = pocket.tokenizer(f"word {number}", add_special_tokens=False)["input_ids"]
            for continuation in (own, own[:1], list(said[number % 3].token_ids)):
                one = Request(messages=(), sampling=Sampling(), token_ids=prompt, adapter=path)
                asked.append(replace(one, continuation=tuple(continuation)))
    generated = requests(queries[:3])
    found = dict(engine.generate([*asked, *generated]))
    expected = dict(reference.generate(asked))
    for number in range(len(asked)):
        mine, theirs = found[number].likelihood, expected[number].likelihood
        assert mine is not None
        assert theirs is not None
        assert mine.log_likelihood == pytest.approx(theirs.log_likelihood, abs=1e-3)
        assert mine.greedy == theirs.greedy
    # What a model says greedily is the likeliest; what it does not say is not.
    assert found[2].likelihood is not None
    assert found[2].likelihood.greedy
    assert not all(one.likelihood.greedy for one in found.values() if one.likelihood is not None)
    # Forcing tokens on some requests of a batch leaves the others alone.
    assert [found[len(asked) + n].token_ids for n in range(3)] == [said[n].token_ids for n in range(3)]


def test_generation_ends_at_a_stop_text(engine: VllmEngine, pocket: Model, queries: list[Query]) -> None:
    reference = TransformersEngine(model=replace(pocket), dtype="float32", device="cpu")
    plain = requests(queries[:6])
    texts = [one.text for _, one in sorted(engine.generate(plain), key=lambda pair: pair[0])]
    stop = texts[0][2:4]
    asked = [replace(one, stop=(stop, "never said")) for one in plain]
    for made in (engine, reference):
        cut = [one for _, one in sorted(made.generate(asked), key=lambda pair: pair[0])]
        assert [one.text for one in cut] == [text.split(stop)[0] for text in texts]
        assert cut[0].finish_reason == "stop"
        assert cut[0].tokens_out <= len(dict(engine.generate(plain[:1]))[0].token_ids)


def test_a_checkpoints_own_way_to_decode_is_not_ours(pocket: Model, queries: list[Query], tmp_path: Path) -> None:
    """A repetition penalty in generation_config.json would be another setting in one engine than in the other."""
    copy = tmp_path / "model"
    shutil.copytree(pocket.path, copy)
    own = (
        json.loads((copy / "generation_config.json").read_text()) if (copy / "generation_config.json").exists() else {}
    )
    own |= {"repetition_penalty": 5.0, "do_sample": True, "temperature": 5.0, "top_k": 2}
    (copy / "generation_config.json").write_text(json.dumps(own))
    plain, penalised = (
        TransformersEngine(model=replace(pocket, path=str(path)), dtype="float32", device="cpu")
        for path in (pocket.path, copy)
    )
    assert tokens(penalised, requests(queries[:4])) == tokens(plain, requests(queries[:4]))


def test_adapter_is_learned_and_attached_per_request(engine: VllmEngine, queries: list[Query], adapter: Path) -> None:
    """Base and tuned requests share one batch; each gets its own weights."""
    mixed = [r for pair in zip(requests(queries), requests(queries, adapter), strict=True) for r in pair]
    found = dict(engine.generate(mixed))
    tuned = [found[2 * number + 1].text for number in range(len(queries))]
    assert sum(text == f"word {number}" for number, text in enumerate(tuned)) >= 10
    assert not any(found[2 * number].text.startswith("word") for number in range(len(queries)))


def test_answers_come_one_by_one_and_requests_are_pulled_lazily(engine: VllmEngine, queries: list[Query]) -> None:
    pulled = 0

    def source():  # type: ignore[no-untyped-def]
        nonlocal pulled
        for request in requests(queries * 2):
            pulled += 1
            yield request

    answers = engine.generate(source(), in_flight=4)
    next(answers)
    assert pulled <= 5, "all requests were taken before the first answer was handed over"
    assert len(list(answers)) == 2 * len(queries) - 1


def test_stopping_early_leaves_no_work_behind(engine: VllmEngine, queries: list[Query]) -> None:
    answers = engine.generate(iter(requests(queries)))
    next(answers)
    answers.close()
    assert not engine.llm.llm_engine.has_unfinished_requests()
    assert len(list(engine.generate(requests(queries[:2])))) == 2


def test_stage_timings_add_up(engine: VllmEngine, queries: list[Query]) -> None:
    for _, completion in engine.generate(requests(queries)):
        timings = completion.timings
        assert set(timings) == {"queue", "prefill", "decode", "ttft"}
        assert all(value >= 0 for value in timings.values())
        assert timings["ttft"] == pytest.approx(timings["queue"] + timings["prefill"], abs=1e-6)


def test_structured_outputs_hold_the_schema(engine: VllmEngine) -> None:
    schema = {
        "type": "object",
        "properties": {"n": {"type": "integer"}},
        "required": ["n"],
        "additionalProperties": False,
    }
    messages = (Message(role="user", content="Say something."),)
    request = Request(messages=messages, sampling=Sampling(max_tokens=48), schema=schema)
    ((_, completion),) = engine.generate([request])
    if completion.finish_reason == "stop":
        assert isinstance(json.loads(completion.text)["n"], int)
    else:  # a number may run on until the tokens are spent; all that stands there follows the schema
        assert completion.text.lstrip().startswith("{")


def test_dora_is_refused_before_it_kills_the_engine(
    engine: VllmEngine, queries: list[Query], adapter: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "dora"
    shutil.copytree(adapter, broken)
    config = json.loads((broken / "adapter_config.json").read_text())
    (broken / "adapter_config.json").write_text(json.dumps({**config, "use_dora": True}))
    with pytest.raises(UserError, match="DoRA"):
        list(engine.generate(requests(queries[:1], broken)))
    assert len(list(engine.generate(requests(queries[:1])))) == 1


def test_only_the_layers_of_the_expected_adapters_are_wrapped(pocket: Model, adapter: Path, tmp_path: Path) -> None:
    engine = VllmEngine(model=pocket, max_lora_rank=8)
    assert "lora_target_modules" not in engine._settings()
    engine.expect([str(adapter), str(adapter)])
    assert engine._settings()["lora_target_modules"] == sorted(Adapter(path=str(adapter)).config["target_modules"])
    assert "lm_head" not in engine._settings()["lora_target_modules"]
    # Weights that vLLM would silently leave out are refused.
    for number, config in enumerate(({"target_modules": ["lm_head"]}, {"target_modules": ".*proj"}, {})):
        other = write_adapter(tmp_path / str(number), **config)
        with pytest.raises(Failure, match="not told of"):
            engine._adapter(other.path)
        engine.expect([str(adapter), other.path])
        wrapped = engine._settings().get("lora_target_modules")
        assert ("lm_head" in wrapped) if number == 0 else wrapped is None
        engine.expect([str(adapter)])


def test_merged_weights_answer_like_the_adapter(
    engine: VllmEngine, pocket: Model, queries: list[Query], adapter: Path, tmp_path: Path
) -> None:
    merged = Model(name="merged", path=str(merge(pocket, str(adapter), tmp_path / "merged")))
    reference = TransformersEngine(model=merged, dtype="float32", device="cpu")
    assert tokens(reference, requests(queries)) == tokens(engine, requests(queries, adapter))


def test_training_is_recorded(adapter: Path, pocket: Model) -> None:
    record = json.loads((adapter / "training.json").read_text())
    assert record["base"] == pocket.identity
    assert record["steps"] == len(record["log"])
    assert record["log"][-1]["loss"] < 0.5 * record["log"][0]["loss"]
    assert 0 < record["trainable_share"] < 0.2
    assert record["peak_memory_bytes"] > 0
    assert len(Adapter(path=str(adapter)).name) == 16
