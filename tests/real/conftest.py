"""A real vLLM engine in each of its two ways, and one real adapter, made once, shared by every test in this folder."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from bench.pocket import WEIGHTS
from bench.world.company import found
from systems.base import Query
from systems.engines.in_process import MULTIPROCESSING
from systems.engines.vllm import VllmEngine
from systems.model import Model
from systems.prompts import PromptBuilder
from systems.tuning.examples import TrainingExample, token_examples
from systems.tuning.training import Tuning, train_adapter

BUILDER = PromptBuilder()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without vLLM these tests are skipped, but not where all real parts are promised (KNOWHOW_STRICT)."""
    if importlib.util.find_spec("vllm") is None and not os.environ.get("KNOWHOW_STRICT"):
        for item in items:
            if "tests/real" in str(item.path):
                item.add_marker(pytest.mark.skip(reason="vLLM is not installed here"))


@pytest.fixture(scope="session")
def pocket() -> Model:
    """The model that ships with the project."""
    return Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)


@pytest.fixture(scope="session")
def queries() -> list[Query]:
    """Twelve closed-book questions on a small world."""
    facts = found(5, entities=12).facts[:12]
    return [
        Query(
            text=f"What is the {fact.attribute.phrases[0]} of {fact.entity.name}?", instruction="Answer.", max_tokens=12
        )
        for fact in facts
    ]


@pytest.fixture(scope="session")
def adapter(pocket: Model, queries: list[Query], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA adapter that has learned to answer every question with its own word."""
    out = tmp_path_factory.mktemp("adapter")
    examples = [
        TrainingExample(query=query, answer=f"word {number}") for number, query in enumerate(queries) for _ in range(24)
    ]
    tokens = list(token_examples(examples, BUILDER, pocket, 256))
    train_adapter(
        pocket, tokens, Tuning(rank=8, learning_rate=3e-3, batch_size=4, epochs=10, max_tokens=256, device="cpu"), out
    )
    return out


@pytest.fixture(scope="session", params=["0", "1"], ids=["in this process", "in its own"])
def engine(pocket: Model, adapter: Path, request: pytest.FixtureRequest) -> Iterator[VllmEngine]:
    """The engine, in this process and then in its own. In float32, so that no close call can tip."""
    made = VllmEngine(model=pocket, max_lora_rank=8, dtype="float32")
    made.expect([str(adapter)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MULTIPROCESSING, request.param)
        before = set(psutil.Process().children(recursive=True))
        made.start()
    started = " ".join(" ".join(one.cmdline()) for one in set(psutil.Process().children(recursive=True)) - before)
    assert ("EngineCore" in started) is (request.param == "1")
    yield made
    made.close()
