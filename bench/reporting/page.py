"""Writes ``report.html``: one file that a person can read, mail and print; it loads nothing from anywhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.detectors.quality import quality_words
from bench.journal import write_atomically
from bench.reporting import claims, facts, figures, numbers, pareto, samples
from bench.reporting.agreement import agreement_rows
from bench.reporting.comparisons import comparison_rows
from bench.reporting.costs import break_even_words, cost_groups, cost_words
from bench.reporting.counterfactuals import counterfactual_rows
from bench.reporting.effects import effect_rows
from bench.reporting.failures import cause_table
from bench.reporting.gate import WORDS, gates
from bench.reporting.heat import heat_rows
from bench.reporting.load import load_rows, stage_rows
from bench.reporting.measures import ordered, quoted
from bench.reporting.rows import by_mode, groups
from bench.reporting.run_files import RunFiles, read_run
from bench.reporting.stages import stage_table
from bench.reporting.svg import slot
from bench.reporting.variants import variant_rows
from bench.reporting.verdicts import task_names

TEMPLATES = Path(__file__).with_name("template")
_TIMED = (
    *("latency_e2e", "e2e", "ttft", "tpot", "itl", "throughput", "goodput", "tokens_per_second", "level_attained"),
    *("error_rate", "timeout_rate", "cache_hit_share", "well_formed_under_load", "unaccounted_share"),
)
_COSTS = ("cost_",)
OTHER_PRICE = " The measures further up are at the run's own price: bench report RUN_DIR price=... changes these too."


def write_report(run_dir: Path) -> Path:
    """Writes ``run_dir/report.html`` from the run's files (see ``run_files``) and gives back its path."""
    path = run_dir / "report.html"
    html = render(read_run(run_dir))
    write_atomically(path, html)
    return path


def render(run: RunFiles) -> str:
    """The page. Everything that came from a run is escaped, and the page's own policy forbids all but its script."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["svg"] = (
        Markup  # only strings of bench.reporting.svg, which escapes its texts, are passed through
    )
    environment.filters["seconds"] = lambda s: numbers.with_unit(numbers.bare(s, "s"), "s", s)
    systems = list(run.summary["systems"])
    environment.globals["slot"] = lambda system: slot(system, systems)
    script = (TEMPLATES / "report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html").render(
        css=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        script=Markup(script),
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        **view(run),
    )


def view(run: RunFiles) -> dict[str, Any]:
    """What the template shows: finished words and rows, no arithmetic left."""
    summary = run.summary
    measured = {system: entry["measures"] for system, entry in summary["systems"].items()}
    return {
        "run": summary["run"],
        "systems": list(summary["systems"]),
        "headline": claims.headline(summary),
        "details": claims.details(summary),
        "notes": facts.notes(summary),
        "facts": facts.facts(summary, run.manifest, len(run.samples)),
        "grid": figures.grid_svg(summary),
        "interaction": figures.interaction_svg(summary),
        "lines": facts.lines_words(summary),
        "no_effects": facts.no_effects(summary, run.manifest),
        "sharing": facts.sharing(summary, run.manifest),
        "detector": quality_words(str(run.manifest.get("detector", "none")), int(run.manifest.get("judged", 1))),
        "effects": effect_rows(summary),
        "groups": groups({s: _without_details(m) for s, m in measured.items()}, summary["comparisons"]),
        "tasks": [_task(summary, task) for task in task_names(summary)],
        "heat": heat_rows(summary),
        "comparisons": comparison_rows(summary),
        "variants": variant_rows(summary),
        "gates": gates(summary),
        "gate_words": WORDS,
        "counterfactuals": counterfactual_rows(summary),
        "causes": cause_table(run.attribution, list(summary["systems"])),
        "agreement": agreement_rows(run.agreement),
        "stages": stage_table(summary, run.predictions),
        "scatter": figures.scatter_svg(summary),
        "matched": pareto.words(summary),
        "load": load_rows(summary),
        "usage": stage_rows(run.manifest),
        "latency": by_mode(measured, _named(measured, _TIMED)),
        "cost": by_mode(measured, _named(measured, _COSTS)),
        "account": _account(run),
        "samples": samples.pick(run),
        "kinds": samples.KINDS,
        "manifest": json.dumps(run.manifest, indent=2, ensure_ascii=False, sort_keys=True) if run.manifest else "",
    }


def _account(run: RunFiles) -> dict[str, Any] | None:
    """The cost of a month; ``None`` where no account was made."""
    if not run.cost:
        return None
    return {
        "words": f"{cost_words(run.cost)}{OTHER_PRICE if _priced_otherwise(run) else ''}",
        "groups": cost_groups(run.cost),
        "pairs": [{"a": p["a"], "b": p["b"], "words": break_even_words(p)} for p in run.cost["break_even"]],
        "surface": figures.surface_svg(run.cost),
        "declared": run.cost["settings"]["volume"] is not None,
        "invalid": any(pair.get("invalid") for pair in run.cost["break_even"]),
    }


def _priced_otherwise(run: RunFiles) -> bool:
    """Whether ``bench cost`` put another price into the account than the measures have."""

    def at(measures: Mapping[str, Any]) -> Any:
        found = quoted(measures, "cost_per_call")
        return found and (found["estimate"], found["unit"])

    systems = run.summary["systems"]
    return any(at(one) != at(systems[name]["measures"]) for name, one in run.cost["systems"].items() if name in systems)


def _without_details(measures: Mapping[str, Any]) -> dict[str, Any]:
    """The whole-suite table leaves percentiles and stages, but for the median, to the latency section."""
    keep = ("latency_e2e_p50", "ttft_p50", "throughput", "goodput")
    return {n: v for n, v in measures.items() if n in keep or not n.startswith((*_TIMED, "stage_"))}


def _named(measured: Mapping[str, Mapping[str, Any]], prefixes: tuple[str, ...]) -> list[str]:
    return ordered(name for measures in measured.values() for name in measures if name.startswith(prefixes))


def _task(summary: Mapping[str, Any], task: str) -> dict[str, Any]:
    measured = {system: entry["tasks"].get(task, {}) for system, entry in summary["systems"].items()}
    return {"name": task, "groups": groups(measured, summary["comparisons"], task)}
