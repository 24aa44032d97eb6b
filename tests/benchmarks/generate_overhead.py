"""Generation through the harness, with its journal and without, beside bare ``LLM.generate`` on the same token ids."""

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
REPEATS = 9


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

    def without() -> float:
        engine.reset_prefix_cache()
        started = time.perf_counter()
        for _ in system.respond(prepared):
            pass
        return time.perf_counter() - started

    def harness() -> float:
        engine.reset_prefix_cache()
        path = root / f"{time.monotonic_ns()}.jsonl"
        started = time.perf_counter()
        with Journal(path) as journal:
            for index, answer in system.respond(prepared):
                journal.append(dataclasses.asdict(prediction(keys[index], answer)))
        return time.perf_counter() - started

    ways = (bare, without, harness)
    for way in ways:
        way()
    ratios: dict[str, list[float]] = {"without": [], "harness": []}
    for number in range(REPEATS):
        turned = [ways[(number + at) % 3] for at in range(3)]  # in turn, so that drift favours none
        took = {way.__name__: way() for way in turned}
        for name, taken in ratios.items():
            taken.append(took[name] / took["bare"])
    engine.close()
    show(
        "generate_overhead",
        REPEATS,
        [
            Figure("without journal / bare", statistics.median(ratios["without"]), "ratio", "<= 1.03"),
            Figure("with journal / bare", statistics.median(ratios["harness"]), "ratio", "<= 1.05"),
            Figure("with journal, smallest ratio", min(ratios["harness"]), "ratio"),
            Figure("with journal, largest ratio", max(ratios["harness"]), "ratio"),
            Figure("prompts", PROMPTS, "count", ">= 500"),
        ],
    )


if __name__ == "__main__":
    main()
