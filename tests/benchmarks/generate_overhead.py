"""Generation through the harness, journal included, beside bare ``LLM.generate`` over the same token ids."""

from __future__ import annotations

import dataclasses
import statistics
import time

from bench.begin import planned
from bench.generate import prediction
from bench.journal import Journal
from bench.pocket import WEIGHTS
from bench.tasks.company.facts import Facts
from bench.world.company import found
from systems.engines.vllm import VllmEngine
from systems.model import Model
from systems.prompted import Prompted
from systems.prompts import PromptBuilder
from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show

PROMPTS = 600
REPEATS = 5


def main() -> None:
    from vllm import SamplingParams

    model = Model(name="pocket", path=str(WEIGHTS), context_tokens=1536)
    engine = VllmEngine(model=model, adapters=False)
    task = Facts(name="facts", metrics=(), world=found(3, entities=150), count=PROMPTS)
    samples = task.samples("test")
    system = Prompted(name="prompt", model=model, engine=engine, prompt=PromptBuilder(shots=2))
    prepared = [system.prepare(sample.query) for sample in samples]
    ids = [{"prompt_token_ids": model.encode(item.request.messages)} for item in prepared]
    settings = SamplingParams(temperature=0.0, max_tokens=24)
    keys = planned(["prompt"], samples, 1)
    root = fresh()

    def bare() -> float:
        engine.reset_prefix_cache()
        started = time.perf_counter()
        engine.llm.generate(ids, settings, use_tqdm=False)
        return time.perf_counter() - started

    def harness(number: int) -> float:
        engine.reset_prefix_cache()
        started = time.perf_counter()
        with Journal(root / f"{number}.jsonl") as journal:
            for index, answer in system.respond(prepared):
                journal.append(dataclasses.asdict(prediction(keys[index], answer)))
        return time.perf_counter() - started

    bare(), harness(-1)
    ratios = []
    for number in range(REPEATS):
        # In turn, and the order turned each time, so that drift favours neither.
        first, second = (bare(), harness(number)) if number % 2 else (None, harness(number))
        ratios.append(second / (first or bare()))
    engine.close()
    show(
        "generate_overhead",
        REPEATS,
        [
            Figure("harness with journal / bare", statistics.median(ratios), "ratio", "<= 1.05"),
            Figure("smallest ratio", min(ratios), "ratio"),
            Figure("largest ratio", max(ratios), "ratio"),
            Figure("prompts", PROMPTS, "count", ">= 500"),
        ],
    )


if __name__ == "__main__":
    main()
