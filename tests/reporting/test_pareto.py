from __future__ import annotations

from typing import Any

from bench.reporting.load import Account, load_rows, stage_rows
from bench.reporting.pareto import front, words
from bench.reporting.scatter_figure import scatter_svg
from tests.reporting.summaries import share, summary


def told(**systems: tuple[float, float, float | None]) -> dict[str, Any]:
    """Systems with quality, seconds and cost."""
    made = summary({name: quality for name, (quality, _, _) in systems.items()}, set())
    for name, (_, seconds, cost) in systems.items():
        measures = made["systems"][name]["measures"]
        measures["latency_e2e_p50"] = [
            share(seconds, unit="s", mode="open loop, Poisson, 4 per s, prefix cache cold, adapter per request")
        ]
        if cost is not None:
            measures["cost_per_call"] = [share(cost, unit="USD per call", mode="m")]
    return made


def test_the_front_is_what_nobody_beats_in_everything() -> None:
    made = told(prompt=(0.3, 0.1, 1.0), rag=(0.8, 0.4, 3.0), finetuned=(0.7, 0.5, 4.0), hybrid=(0.9, 0.6, 5.0))
    assert front(made) == ["prompt", "rag", "hybrid"]  # rag is better, faster and cheaper than finetuned
    assert words(made) == "On the Pareto front of quality, latency and cost: prompt, rag, hybrid."


def test_equals_are_both_on_it_and_a_cost_counts_only_where_all_have_one() -> None:
    assert front(told(a=(0.5, 0.1, 1.0), b=(0.5, 0.1, 1.0))) == ["a", "b"]
    assert front(told(a=(0.5, 0.1, None), b=(0.5, 0.2, 1.0))) == ["a"]
    assert words(summary({"a": 0.5}, set())) == ""  # no latency was taken


def test_a_latency_taken_at_another_setting_is_said() -> None:
    made = told(finetuned=(0.7, 0.5, 4.0))
    made["systems"]["finetuned"]["measures"]["latency_e2e_p50"][0]["mode"] = "open loop, adapter merged"
    assert words(made).endswith(
        "Quality was measured with an adapter per request, these latencies otherwise: open loop, adapter merged."
    )


LATE = "open loop, adapter per request; INVALID: sent 30 ms late at p99, the client could not keep up"


def test_an_invalid_load_is_drawn_hollow_and_is_on_no_front() -> None:
    made = told(prompt=(0.3, 0.1, 1.0), rag=(0.8, 0.05, 0.5))  # rag would beat prompt in everything
    made["systems"]["rag"]["measures"]["latency_e2e_p50"][0]["mode"] = LATE
    assert front(made) == ["prompt"]
    assert words(made) == (
        "On the Pareto front of quality, latency and cost: prompt. "
        "Not asked for it, and drawn hollow, since their load was invalid: rag."
    )
    drawn = scatter_svg(made) or ""
    assert drawn.count('r="3.2" style="fill:var(--paper') == 1
    assert ">rag, $500.00, INVALID<" in drawn
    assert ">prompt, $1,000.00<" in drawn
    # The same where the cost alone rests on one: its own number says so.
    made = told(prompt=(0.3, 0.1, 1.0), rag=(0.8, 0.05, 0.5))
    made["systems"]["rag"]["measures"]["cost_per_call"][0]["mode"] = f"goodput: {LATE}"
    assert front(made) == ["prompt"]
    assert ">rag, $500.00\u00a0INVALID<" in (scatter_svg(made) or "")


def test_blocks_are_told_by_condition() -> None:
    # 8 measured and 2 that warmed up: the machine worked for all ten.
    block = {"system": "rag", "mode": "m", "search": False, "rate": 4.0, "requests": 8, "asked": 10}
    block["stage_cpu_seconds"] = {"embed": None, "prompt": 0.02}
    machine = {
        "cpu_seconds": {"harness": 0.2, "engine core": 1.0},
        "peak_memory_mib": {"engine core": 900.0},
        "other_cpu_share": 0.1,
    }
    made = {
        "load": [
            {**block, "block": 0, "p50": 0.1, "machine": machine},
            {**block, "block": 1, "p50": 0.12, "machine": {**machine, "peak_memory_mib": {"engine core": 950.0}}},
            {**block, "block": 0, "p50": 0.5, "machine": machine, "search": True},
        ]
    }
    (row,) = load_rows(made)
    assert (row.system, row.blocks, row.requests, row.medians) == ("rag", 2, 16, "100 to 120")
    assert row.stages == "embed not told, prompt 2.00"
    assert row.account == Account(
        cpu="harness 20, engine core 100", memory="engine core 950", others="10\u00a0%", gpu="", energy=""
    )


def test_what_a_gpu_and_the_meters_tell_is_shown() -> None:
    machine = {"cpu_seconds": {"harness": 0.2}, "gpu_memory_mib": 3000.0, "gpu_utilisation": 0.25}
    machine |= {"gpu_process_memory_mib": {"engine core": 2000.0}, "joules": {"processors": 50.0, "GPUs": 300.0}}
    block = {"system": "rag", "mode": "m", "search": False, "p50": 0.1, "requests": 8, "asked": 10, "machine": machine}
    (row,) = load_rows({"load": [block]})
    assert row.account.gpu == "3,000 (engine core 2,000); 25\u00a0% busy"
    assert row.account.energy == "processors 5.0, GPUs 30.0"
    (stage,) = stage_rows({"usage": {"build": {**machine, "seconds": 9.0, "gpu_process_memory_mib": {}}}})
    assert (stage.name, stage.seconds, stage.account.cpu) == ("build", 9.0, "harness 0.2")
    assert stage.account.gpu == "3,000 (own processes not told); 25\u00a0% busy"
    assert stage.account.energy == "processors 50.0, GPUs 300.0"
