"""What was run, in words, and what a reader must be warned of."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bench.reporting import numbers
from bench.reporting.verdicts import task_names

ENOUGH = 0.5
"""Share of the positive control that must be recalled."""
POCKET = (
    "The model of this run is the pocket model, a stand-in that makes everything run for real on a laptop: "
    "its scores say nothing about large models."
)
STUB = "stub"
"""The engine that asks no model."""
MADE_UP = (
    "No model answered in this run: the stub made these answers up, so that everything else can be tried out. What "
    "rests on answers, or on their time, says nothing of a system."
)
LOAD_ALONE = (
    "This is a load alone: latency, throughput and cost. Quality is measured by bench run with the same settings, in "
    "this same directory."
)
SECONDARY = "Measures marked secondary rest on a detector that was not shown to agree with people"
DEVELOPMENT = (
    "These are answers on the development split, where prompts and settings are chosen; what is chosen is shown on "
    "the test split, once."
)
GRIDS = {
    "controlled": "controlled: the same prompt everywhere, so that only retrieval and tuning differ",
    "practical": "practical: each system with its own best prompt",
}
PARITY = {
    "on": "on: the evaluated facts stand in the index and in the training text",
    "off": "off: tuned weights have never seen the evaluated entities",
}


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something to know before reading on."""

    level: str
    """``warning`` or ``note``."""
    text: str


def notes(summary: Mapping[str, Any]) -> list[Note]:
    """Warnings first: the stand-in model, missing predictions, controls, a doubted detector, the run's own findings."""
    run, found = summary["run"], []
    if (stands := stand_in(run["engine"], run["model"])) is not None:
        found.append(Note(level="warning", text=stands))
    if not summary["completed"] and any("throughput" in one["measures"] for one in summary["systems"].values()):
        found.append(Note(level="note", text=LOAD_ALONE))
    elif summary["completed"] < summary["planned"]:
        found.append(
            Note(
                level="warning",
                text=f"The run is not complete: {summary['completed']:,} of "
                f"{summary['planned']:,} planned predictions are here.",
            )
        )
    if run.get("split") == "development":
        found.append(Note(level="note", text=DEVELOPMENT))
    controls = (_proof(run.get("adapter_proof")), _control(run.get("positive_control")))
    found += [control for control in controls if control is not None]
    if run.get("secondary"):
        found.append(Note(level="warning", text=f"{SECONDARY}: {run['secondary']}."))
    if summary.get("refresh"):
        found.append(Note(level="note", text=_refresh(summary["refresh"])))
    for finding in run.get("findings") or ():
        level = str(finding.get("level", "note")) if isinstance(finding, Mapping) else "note"
        text = str(finding.get("text", "")) if isinstance(finding, Mapping) else str(finding)
        found.append(Note(level="note" if level in ("note", "info") else "warning", text=text))
    return sorted(found, key=lambda note: note.level != "warning")


def stand_in(engine: str, model: str) -> str | None:
    """What a reader must know of who answered, where it was no model to be judged by."""
    if engine == STUB:
        return MADE_UP
    return POCKET if str(model).lower().startswith("pocket") else None


def _control(control: Any) -> Note | None:
    """The positive control: facts asked as trained, which the tuned weights must recall in half the cases.

    ``{"recalled": count, "of": count, "share", "low", "high", "informative"}``.
    """
    if not isinstance(control, Mapping) or control.get("share") is None:
        return None
    estimate = {"estimate": control["share"], "low": control.get("low"), "high": control.get("high"), "unit": "share"}
    told = numbers.with_interval(estimate)
    if control.get("of"):
        told += f", {control['recalled']} of {control['of']}"
    if control.get("informative", float(control["share"]) >= ENOUGH):
        return Note(
            level="note", text=f"Positive control passed: the tuned weights recall what they were taught: {told}."
        )
    return Note(
        level="warning",
        text=f"Positive control failed: the tuned weights recall too little of what they were taught: {told}. "
        "What this run says about knowledge in weights is uninformative.",
    )


def _refresh(refreshed: Mapping[str, Mapping[str, Any]]) -> str:
    """What it takes each system until its answers are right again after the corpus changed."""

    def needs(one: Mapping[str, Any]) -> str:
        taken = {what: one[f"{what}_seconds"] for what in one["needs"]}
        words = " and ".join(
            f"{what} (nothing says how long)" if seconds is None else f"{seconds:,.1f} s of {what}"
            for what, seconds in taken.items()
        )
        money = "" if one["cost"] is None else f" ({one['cost']:.2g} {one['currency']})"
        return f"{words}{money}" if words else "nothing that would help"

    told = "; ".join(f"{system}: {needs(one)}" for system, one in refreshed.items())
    again = any(one["retrained"] for one in refreshed.values())
    weights = "have been tuned again" if again else "are those of before (suite.retrain=true tunes them again)"
    return (
        f"After a change answers are right again with {told}. In this run the index is today's; the weights {weights}."
    )


def _proof(proof: Any) -> Note | None:
    """Whether the adapter changed any answer of a probe: ``{"different": count, "of": count}``."""
    if not isinstance(proof, Mapping) or not proof.get("of") or proof.get("different"):
        return None
    return Note(
        level="warning",
        text=f"The adapter may not be applied: none of {proof['of']} probe answers differ from the base model's.",
    )


def sharing(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """What the systems have in common, as far as this run knows."""
    if summary["run"]["grid"] not in GRIDS:
        return "The answers were made elsewhere: how, and from what, this page cannot know; all are scored alike."
    unequal = manifest.get("unequal") or []
    settings = "one set of decoding settings" if not unequal else f"these settings but for: {'; '.join(unequal)}"
    varied = " Variants differ besides, as their table says." if manifest.get("variants") else ""
    return (
        f"All systems share one checkpoint, one engine and {settings}, and answer the same samples.{varied} "
        "Systems see a query, never its reference."
    )


def no_effects(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> str:
    """Why a page has no table of effects."""
    if manifest.get("unequal"):
        return f"No effects were computed, since other settings differ too: {'; '.join(manifest['unequal'])}."
    if summary["run"]["grid"] not in GRIDS:
        return "No effects were computed: these systems are no grid of retrieval and tuning."
    missing = [name for name in ("prompt", "rag", "finetuned", "hybrid") if name not in summary["systems"]]
    if not missing:
        return "No effects were computed: no measure applies to all four systems."
    left = f"{' and '.join(missing)} {'was' if len(missing) == 1 else 'were'} not run"
    return f"No effects were computed: that takes all four systems of the grid, and {left}."


def lines_words(summary: Mapping[str, Any]) -> str:
    """What parallel lines mean, where they mean something."""
    effects = summary.get("effects") or {}
    if any("interaction" in effect for effect in effects.values()):
        return "Parallel lines would mean no interaction."
    return "The two lines differ in more than tuning, so their angle is no interaction."


def facts(summary: Mapping[str, Any], manifest: Mapping[str, Any], samples: int) -> list[tuple[str, str]]:
    """Name and value of what a reader needs to place the run."""
    run = summary["run"]
    parity = (
        {True: "on", False: "off"}.get(run["parity"], str(run["parity"]))
        if isinstance(run["parity"], bool)
        else str(run["parity"])
    )
    listed = [
        ("Experiment", str(run["experiment"])),
        ("Model", plain(run["model"])),
        ("Engine", plain(run["engine"])),
        ("Grid", GRIDS.get(str(run["grid"]), str(run["grid"]))),
        ("Information parity", PARITY.get(parity, parity)),
        ("Systems", ", ".join(summary["systems"])),
        ("Tasks", f"{len(task_names(summary))}: {', '.join(task_names(summary))}"),
        ("Samples", f"{samples:,}" if samples else "not in this directory"),
        ("Predictions", f"{summary['completed']:,} of {summary['planned']:,} planned"),
        ("Split", str(run.get("split", ""))),
        ("Seed", str(run["seed"])),
        ("Commit", str(run["commit"])),
        ("Hardware", plain(manifest["hardware"]) if manifest.get("hardware") else ""),
        ("Started", str(run["started"] or "")),
        ("Finished", str(run["finished"] or "not recorded")),
        ("Run", str(run["id"])),
    ]
    return [(name, text) for name, text in listed if text]


def plain(thing: Any) -> str:
    """A manifest's value on one line."""
    if isinstance(thing, Mapping):
        return ", ".join(f"{key} {plain(item)}" for key, item in thing.items())
    if isinstance(thing, list):
        return ", ".join(map(plain, thing)) or "none"
    return thing if isinstance(thing, str) else json.dumps(thing, ensure_ascii=False)
