"""One run of the four systems beside four runs of lm-eval: the same model, adapters, prompts and lengths of answers.

Ours retrieves, checks that the adapters are on, scores, compares and reports; theirs is given prompts that are ready.
With few samples starting up counts; of many, what they take beyond the few is compared, so that it does not.
``python -m tests.benchmarks.versus_lm_eval [BUILDS_DIR]``: builds that are there already spare their time, which is
not measured.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import yaml

from bench.assembly import Assembly
from bench.build import ready
from bench.config import compose
from bench.pocket import WEIGHTS
from systems.engines.vllm import VllmEngine
from tests.benchmarks.demo import fresh
from tests.benchmarks.record import Figure, show
from tests.benchmarks.vllm_command import environment

BUILDS = sys.argv[1] if len(sys.argv) > 1 else None
FEW, MANY = (20, 1), (100, 4)
"""Samples per task, and how often each is asked: 100 and 2,000 a system."""


def settings(root: Path, size: tuple[int, int]) -> list[str]:
    count, repeats = size
    return [
        "experiment=pocket", "load=none", "tracker=none", f"suite.count={count}", f"repeats={repeats}",
        f"builds_dir={BUILDS or root / 'builds'}", f"run_dir={root / f'ours-{count * repeats}'}",
    ]  # fmt: skip


def write_tasks(root: Path, size: tuple[int, int]) -> tuple[dict[str, str | None], int, int]:
    """A task of lm-eval's for every system and task, with our prompts; the systems' adapters, and counts."""
    count, repeats = size
    adapters: dict[str, str | None] = {}
    samples = 0
    assembly = Assembly(compose(settings(root, size)))
    with ready(assembly) as built:
        for name in assembly.system_nodes:
            adapters[name] = built.adapters.get(name)
            system = assembly.system(name, index=built.index, adapter=adapters[name])
            folder = root / f"tasks-{count * repeats}" / name
            folder.mkdir(parents=True)
            samples = len(assembly.samples) * repeats
            for task in assembly.suite.tasks:
                prepared = [system.prepare(one.query) for one in assembly.samples if one.task == task.name]
                lengths = {one.request.sampling.max_tokens for one in prepared}
                texts = [str(assembly.model.render(one.request.messages)) for one in prepared] * repeats
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
        context = int(assembly.model.context)
    return adapters, samples, context


def theirs(root: Path, known: dict[str, str], size: tuple[int, int], system: str, adapter: str | None) -> float:
    """Seconds of ``lm_eval`` on one system."""
    folder = root / f"tasks-{size[0] * size[1]}" / system
    ours = VllmEngine.__dataclass_fields__
    about = {
        "pretrained": WEIGHTS,
        "max_model_len": root.joinpath("context").read_text(),
        "dtype": ours["dtype"].default,
        "enforce_eager": True,
        "block_size": 32,
        "max_num_seqs": ours["max_num_seqs"].default,
        "enable_prefix_caching": True,
        **({"enable_lora": True, "max_lora_rank": 16, "lora_local_path": adapter} if adapter else {}),
    }
    tasks = sorted(path.stem for path in folder.glob("*.yaml"))
    began = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "lm_eval", "run", "--model", "vllm", "--batch_size", "auto"),
            *("--model_args", ",".join(f"{key}={value}" for key, value in about.items())),
            *("--include_path", str(folder), "--tasks", ",".join(tasks), "--output_path", str(folder / "out")),
        ],
        env=known, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode != 0:
        sys.exit(f"lm_eval failed: {done.stderr[-2000:]}")
    return time.perf_counter() - began


def ours(root: Path, size: tuple[int, int]) -> float:
    """Seconds of ``bench run`` on all four, everything built."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "bench", "run", *settings(root, size)], check=True, stdout=sys.stderr)
    return time.perf_counter() - began


def main() -> None:
    root = fresh()
    known = environment(root)
    took: dict[tuple[str, int], float] = {}
    asked = {}
    for size in (FEW, MANY):
        adapters, asked[size], context = write_tasks(root, size)
        (root / "context").write_text(str(context))
        number = size[0] * size[1]
        parts = [theirs(root, known, size, system, adapter) for system, adapter in list(adapters.items())[:2]]
        took["ours", number] = ours(root, size)  # in the middle, so that drift favours neither
        parts += [theirs(root, known, size, system, adapter) for system, adapter in list(adapters.items())[2:]]
        took["theirs", number] = sum(parts)
        print(f"{asked[size]} samples a system: ours {took['ours', number]:.1f} s, theirs {parts}", file=sys.stderr)
    few, many = (size[0] * size[1] for size in (FEW, MANY))
    manifest = json.loads((root / f"ours-{many}" / "manifest.json").read_text())
    beyond = {name: took[name, many] - took[name, few] for name in ("ours", "theirs")}
    show(
        "versus_lm_eval",
        1,
        [
            Figure("few samples, ours / theirs", took["ours", few] / took["theirs", few], "ratio", "< 0.5"),
            Figure("few samples, ours", took["ours", few], "s"),
            Figure("few, a system", asked[FEW], "count", "= 100"),
            Figure("many without start-up, ours / theirs", beyond["ours"] / beyond["theirs"], "ratio", "<= 1.0"),
            Figure("many without start-up, ours", beyond["ours"], "s"),
            Figure("many, a system", asked[MANY], "count", "= 2000"),
            Figure("engine loads for quality, ours", manifest["engine"]["loads"], "count", "= 1"),
        ],
    )


if __name__ == "__main__":
    main()
