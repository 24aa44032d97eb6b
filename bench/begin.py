"""Begins a run's directory, or goes on with it: nothing that other code or data made is mixed in."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

from bench.assembly import Assembly, searching
from bench.config import build, config_hash
from bench.contamination import check_splits
from bench.fairness import differences, separate_adapters, variants
from bench.progress import say
from bench.provenance import provenance
from bench.records import Key, Sample
from bench.tasks.base import SelfJudging, Suite
from bench.workspace import HASHED, Workspace, code_hash, now, records_hash, samples_hash
from systems.artifacts import content_hash
from systems.base import UserError
from systems.lease import Lease


def planned(systems: Sequence[str], samples: Sequence[Sample], repeats: int) -> list[Key]:
    """Every prediction a run owes; repeats of a sample next to each other, while an engine's cache has their prompt."""
    return [
        Key(system, sample.task, sample.id, repeat)
        for system in systems
        for sample in samples
        for repeat in range(repeats)
    ]


def contents(samples: Sequence[Sample], suite: Suite) -> dict[str, str]:
    """Names the questions and the documents, whatever files they were read from, and how they were ``hashed``."""
    return {"hashed": HASHED, "samples": samples_hash(samples), "documents": records_hash(suite.corpus)}


def data_hash(found: Mapping[str, str], suite: Suite) -> str:
    """Names all that answers rest on: ``contents``, and what the suite says of its source."""
    return content_hash([*found.values(), suite.data])[:16]


def retrieval_hash(assembly: Assembly) -> str:
    """Names the weights that find passages, which a config names by their place alone."""
    nodes = [searching(node["retriever"]) for node in assembly.system_nodes.values() if "retriever" in node]
    rerankers = [build(node.reranker) for node in nodes if node.get("reranker") is not None]
    embedders = [found for node in nodes if (found := assembly.embedder_of(node)) is not None]
    return content_hash([one.identity for one in (*embedders, *rerankers)])[:16]


def check_parts(assembly: Assembly) -> None:
    """Build what is not needed before the answers are there: a wrong setting must not cost a night."""
    _ = assembly.model.context
    for part in ("load", "detector", "price", "tracker"):
        build(assembly.config[part])
    for node in assembly.system_nodes.values():
        if node.get("adapter") is not None:
            build(node["adapter"])
    assembly.check_systems()
    scored = any(call.continuation is not None for one in assembly.samples for call in one.query.calls)
    if scored and not getattr(assembly.engine, "likelihoods", False):
        raise UserError(
            f"engine={assembly.engine.name}: gives no log-likelihoods, which the suite asks for; "
            "take engine=vllm or engine=transformers, or tasks that generate"
        )
    if hasattr(assembly.engine, "serves"):
        assembly.engine.start()  # a server that does not answer must not be found out after hours of building


def _sweep() -> dict[str, str] | None:
    """The sweep that this run is a job of, as its launcher says."""
    name, job = os.environ.get("KNOWHOW_SWEEP"), os.environ.get("KNOWHOW_JOB")
    return {"name": name, "job": job or ""} if name else None


@contextmanager
def begin(assembly: Assembly) -> Iterator[Lease | None]:
    """Start or continue the run's directory, and hold it; refuses to mix what other code or data made.

    A finished run is not held (``None``): none of its parts is needed again, and nothing is left to write.
    """
    workspace, suite, samples = assembly.workspace, assembly.suite, assembly.samples
    # One is not finished while calls that reached no engine can be made again.
    finished = workspace.complete.exists() and not workspace.read_manifest().get("unreached")
    if not finished:
        check_parts(assembly)
    content = contents(samples, suite)
    made_by = {
        "code": code_hash(),
        "data": data_hash(content, suite),
        "model": assembly.model.identity,
        "config": config_hash(assembly.plain),
        **({"retrieval": retrieval_hash(assembly)} if any(map(assembly.wants_index, assembly.system_nodes)) else {}),
    }
    # Before anything is written: a mistake leaves no directory.
    entries = {} if workspace.read_manifest() else _entries(assembly)
    with nullcontext() if finished else workspace.alone() as lease:
        if found := workspace.read_manifest():
            for what, value in made_by.items():
                was = found.get("made_by", {}).get(what)
                if was != value and not (what == "config" and _moved(workspace, found, assembly)):
                    raise UserError(
                        f"{workspace.path}: was begun with other {what} ({was}, now {value}); "
                        "start anew with run_dir=NEW, or set it aside with --fresh"
                    )
            _went_on(workspace, found, assembly.plain["engine"].get("base_url"))
        else:
            workspace.write_samples(samples)
            workspace.update_manifest(**entries, contents=content, made_by=made_by, started=now())
        yield lease


def _entries(assembly: Assembly) -> dict[str, Any]:
    """What the manifest of a new run says of its config, its suite and this machine."""
    suite, names = assembly.suite, list(assembly.system_nodes)
    findings = check_splits(suite)
    for name, reason in assembly.left_out.items():
        say(f"{name} is left out: {reason}")
        findings.append({"level": "warning", "text": f"{name} is left out: {reason}"})
    nodes = {name: assembly.plain["systems"][name] for name in names}
    unequal = differences(nodes, assembly.plain["prompt"]["grid"])
    for text in unequal:
        findings.append({"level": "warning", "text": f"{text}: effects of retrieval and tuning are not computed"})
    for text in separate_adapters(nodes):
        findings.append({"level": "note", "text": f"{text}: no interaction is computed"})
    return dict(
        experiment=assembly.name,
        sweep=_sweep(),
        config=assembly.plain,
        seed=assembly.plain["seed"],
        split=assembly.plain["split"],
        grid=assembly.plain["prompt"]["grid"],
        parity=suite.parity,
        suite=suite.name,
        data=suite.data,
        model={"name": assembly.model.name, "identity": assembly.model.identity, "revision": assembly.model.revision},
        metrics={task.name: list(task.metrics) for task in suite.tasks},
        self_judging=[task.name for task in suite.tasks if isinstance(task, SelfJudging)],
        documents=[document.id for document in suite.corpus],
        planned=len(planned(names, assembly.samples, int(assembly.config.repeats))),
        systems=names,
        findings=findings,
        unequal=unequal,
        variants=variants(nodes),
        **provenance(assembly.plain),
    )


def _moved(workspace: Workspace, manifest: Mapping[str, Any], assembly: Assembly) -> bool:
    """Whether an unfinished run has another config only in where its server stands now."""
    elsewhere = [
        config_hash({**config, "engine": {**config["engine"], "base_url": None}})
        for config in (manifest["config"], assembly.plain)
        if "base_url" in config["engine"]
    ]
    return len(elsewhere) == 2 and elsewhere[0] == elsewhere[1] and not workspace.complete.exists()


def _went_on(workspace: Workspace, manifest: Mapping[str, Any], server: str | None) -> None:
    """Note where an unfinished run went on elsewhere: what of its machine, packages, environment or ``server`` is
    another."""
    if manifest.get("finished"):
        return
    origin = provenance(manifest["config"])
    other = {key: value for key, value in origin.items() if key != "command" and manifest.get(key, value) != value}
    if server != manifest["config"]["engine"].get("base_url"):
        other["server"] = server
    if other:
        workspace.update_manifest(went_on=[*manifest.get("went_on", ()), {"at": now(), **other}])
