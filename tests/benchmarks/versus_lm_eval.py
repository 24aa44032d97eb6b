"""One run of the four systems beside four runs of lm-eval: the same model, adapters, prompts and lengths of answers.

Ours retrieves, checks that the adapters are on, scores, compares and reports; theirs is given prompts that are ready.
With few samples starting up counts; of many, what they take beyond the few is compared, so that it does not.
Theirs has our engine's context, type, batch and cache, adapters where the system has one, and both cores of two. On
such a machine ours computes in its own process (``systems/engines/in_process.py``). Theirs is measured as lm-eval runs
vLLM, with processes of its own, and also as it would be if its user had known to ask vLLM for that.
``python -m tests.benchmarks.versus_lm_eval [BUILDS_DIR [PAIRS]]``: builds that are there already spare their time,
which is not measured.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from bench.assembly import Assembly
from bench.build import ready
from bench.config import compose
from bench.pocket import WEIGHTS
from systems.engines.in_process import FEW as FEW_CORES
from systems.engines.in_process import MULTIPROCESSING
from systems.engines.vllm import VllmEngine
from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show
from tests.benchmarks.vllm_command import environment

BUILDS = sys.argv[1] if len(sys.argv) > 1 else None
FEW, MANY = 20, 400
"""Samples of each of the five tasks: 100 and 2,000 a system, each prompt another."""
PAIRS = int(sys.argv[2]) if len(sys.argv) > 2 else 3


def settings(root: Path, count: int, run: str = "ours") -> list[str]:
    return [
        "experiment=pocket", "load=none", "tracker=none", f"suite.count={count}",
        f"builds_dir={BUILDS or root / 'builds'}", f"run_dir={root / f'{run}-{count}'}",
    ]  # fmt: skip


def write_tasks(root: Path, count: int) -> tuple[dict[str, str | None], dict[str, Any]]:
    """A task of lm-eval's for every system and task, with our prompts; the systems' adapters, and what they share."""
    adapters: dict[str, str | None] = {}
    assembly = Assembly(compose(settings(root, count)))
    with ready(assembly) as built:
        for name in assembly.system_nodes:
            adapters[name] = built.adapters.get(name)
            system = assembly.system(name, index=built.index, adapter=adapters[name])
            folder = root / f"tasks-{count}" / name
            folder.mkdir(parents=True)
            for task in assembly.suite.tasks:
                prepared = [system.prepare(one.query) for one in assembly.samples if one.task == task.name]
                lengths = {one.request.sampling.max_tokens for one in prepared}
                texts = [str(assembly.model.render(one.request.messages)) for one in prepared]
                data = folder / f"{task.name}.jsonl"
                data.write_text("".join(json.dumps({"prompt": text, "target": "x"}) + "\n" for text in texts))
                settings_of_task = {
                    "task": task.name,
                    "dataset_path": "json",
                    "dataset_kwargs": {"data_files": {"test": str(data)}},
                    "test_split": "test",
                    "output_type": "generate_until",
                    "doc_to_text": "{{prompt}}",
                    "doc_to_target": "{{target}}",
                    "generation_kwargs": {"until": [], "max_gen_toks": max(lengths), "temperature": 0.0},
                    "metric_list": [{"metric": "exact_match"}],
                }
                (folder / f"{task.name}.yaml").write_text(yaml.safe_dump(settings_of_task))
        shared = {
            "samples": len(assembly.samples),
            "context": int(assembly.model.context),
            "rank": int(assembly.config.engine.max_lora_rank),
        }
    return adapters, shared


def theirs(root: Path, shared: dict[str, Any], count: int, system: str, adapter: str | None) -> float:
    """Seconds of ``lm_eval`` on one system."""
    folder = root / f"tasks-{count}" / system
    ours = VllmEngine.__dataclass_fields__
    about = {
        "pretrained": WEIGHTS,
        "max_model_len": shared["context"],
        "dtype": ours["dtype"].default,
        "enforce_eager": True,
        "block_size": 32,
        "max_num_seqs": ours["max_num_seqs"].default,
        "enable_prefix_caching": True,
        **({"enable_lora": True, "max_lora_rank": shared["rank"], "lora_local_path": adapter} if adapter else {}),
    }
    tasks = sorted(path.stem for path in folder.glob("*.yaml"))
    began = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "lm_eval", "run", "--model", "vllm", "--batch_size", "auto"),
            *("--model_args", ",".join(f"{key}={value}" for key, value in about.items())),
            *("--include_path", str(folder), "--tasks", ",".join(tasks), "--output_path", str(folder / "out")),
        ],
        env=shared["environment"], capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"lm_eval failed: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def ours(root: Path, count: int, run: str) -> float:
    """Seconds of ``bench run`` on all four, everything built."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "bench", "run", *settings(root, count, run)]
    subprocess.run(command, check=True, stdout=sys.stderr)
    return time.perf_counter() - began


def main() -> None:
    root = fresh()
    known = environment(root)
    if len(os.sched_getaffinity(0)) <= FEW_CORES:
        known["VLLM_CPU_NUM_OF_RESERVED_CPU"] = "0"  # vLLM's default leaves a core of two idle
    asked = {}
    took: dict[int, list[tuple[float, float, float]]] = {FEW: [], MANY: []}
    prepared = {count: write_tasks(root, count) for count in (FEW, MANY)}
    for number in range(PAIRS):
        for count, (adapters, shared) in prepared.items():
            asked[count] = shared["samples"]
            modes = ("1", "0") if number % 2 else ("0", "1")
            parts = [
                (mode, partial(theirs, root, shared | {"environment": known | {MULTIPROCESSING: mode}}, count, *one))
                for one in adapters.items()
                for mode in modes
            ]
            # Ours in the middle of theirs: drift favours neither.
            seconds = [(mode, part()) for mode, part in parts[:4]]
            own = ours(root, count, f"ours-{number}")
            seconds += [(mode, part()) for mode, part in parts[4:]]
            both = (sum(each for found, each in seconds if found == mode) for mode in ("1", "0"))
            took[count].append((own, *both))
            told = "{:.1f} s, theirs {:.1f} s, theirs in one process {:.1f} s".format(*took[count][-1])
            print(f"{asked[count]} samples a system: ours {told}", file=sys.stderr)
    manifest = json.loads((root / f"ours-0-{MANY}" / "manifest.json").read_text())
    beyond = [
        tuple(many - small for many, small in zip(*pair, strict=True))
        for pair in zip(took[MANY], took[FEW], strict=True)
    ]
    figures = []
    for what, found, target in (("few samples", took[FEW], "< 0.5"), ("many without start-up", beyond, "<= 1.0")):
        for other, whose in ((1, "theirs"), (2, "theirs in one process")):
            ratios = [pair[0] / pair[other] for pair in found]
            figures += [
                Figure(f"{what}, ours / {whose}", statistics.median(ratios), "ratio", target),
                Figure(f"{what}, smallest ratio to {whose}", min(ratios), "ratio"),
                Figure(f"{what}, largest ratio to {whose}", max(ratios), "ratio"),
            ]
        for place, whose in enumerate(("ours", "theirs", "theirs in one process")):
            figures.append(Figure(f"{what}, {whose}", statistics.median(pair[place] for pair in found), "s"))
    figures += [
        Figure("few, a system", asked[FEW], "count", "= 100"),
        Figure("many, a system", asked[MANY], "count", "= 2000"),
        Figure("engine loads for quality, ours", manifest["engine"]["loads"], "count", "= 1"),
        Figure("ours in one process", float(manifest["engine"]["in_process"]), "count"),
    ]
    show("versus_lm_eval", PAIRS, figures)


if __name__ == "__main__":
    main()
