"""``bench run``: build, generate, load, detect, score, report, and tell the tracker. Reads top to bottom.

The same command finds its own unfinished run and goes on with it; a finished one is shown again at once.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from bench.assembly import Assembly
from bench.begin import begin
from bench.build import ready
from bench.config import build, compose
from bench.controls import run_controls
from bench.counterfactuals import ask_again
from bench.detect import detect
from bench.generate import answered, generate
from bench.journal import Journal, write_atomically
from bench.load import load_all
from bench.loading.machine import watched
from bench.probing import probe
from bench.progress import say
from bench.report import report
from bench.reporting.table import console_table
from bench.scoring import metrics_of, score
from bench.sweep import multirun
from bench.workspace import Workspace, now
from systems.base import UserError
from systems.lease import Lease


def run(assembly: Assembly) -> dict[str, Any]:
    """All stages, one engine load; returns the summary."""
    with begin(assembly) as lease:
        metrics_of({task.name: task.metrics for task in assembly.suite.tasks})  # a mistyped one is an error now
        if lease is not None:
            return _stages(assembly, lease)
    summary: dict[str, Any] = json.loads(assembly.workspace.summary.read_text(encoding="utf-8"))
    return summary


def _stages(assembly: Assembly, lease: Lease) -> dict[str, Any]:
    """What is not done yet. Before it replaces what a later holder may be writing, it looks whether there is one."""
    workspace = assembly.workspace
    workspace.complete.unlink(missing_ok=True)  # calls that reached no engine are made again
    used: dict[str, dict[str, Any]] = {}

    @contextmanager
    def stage(name: str) -> Iterator[None]:
        with watched() as usage:
            yield
        lease.confirm()
        used[name] = usage.to_json()

    with ExitStack() as stack:
        stack.enter_context(_partial_result(assembly))
        with stage("build"):
            built = stack.enter_context(ready(assembly))
        with stage("generate"):
            probe(assembly)
            lease.confirm()
            with Journal(workspace.predictions, keep=answered) as journal:
                generate(assembly, built, journal)
            lease.confirm()
            ask_again(assembly, built)
            if built.adapters:
                lease.confirm()
                with Journal(workspace.controls) as journal:
                    run_controls(assembly, dict(built.adapters), journal)
        manifest = workspace.read_manifest()
        if "engine" in manifest and assembly.engine.loads:  # a run that only scores what it had loads nothing
            workspace.update_manifest(engine={**manifest["engine"], "loads": assembly.engine.loads})
        with stage("load"), Journal(workspace.load) as journal:
            lost = load_all(assembly, built, journal)
        if lost:
            found = workspace.read_manifest()["findings"]
            told = [{"level": "warning", "text": text} for text in lost]
            workspace.update_manifest(findings=[*found, *(one for one in told if one not in found)])
    detector = build(assembly.config.detector)
    with stage("score"):
        detect(workspace, detector, assembly.suite.tasks)
        score(workspace, {task.name: list(task.metrics) for task in assembly.suite.tasks}, detector)
    if not workspace.read_manifest().get("finished"):
        workspace.update_manifest(finished=now(), usage=used)
    summary = report(workspace, build(assembly.config.price), assembly.config.margin)
    lease.confirm()
    # Killed before this, the same command writes the report again; after it, bench sync tells the tracker.
    write_atomically(workspace.complete, now() + "\n")
    assembly.tracker.publish(workspace)
    return summary


@contextmanager
def _partial_result(assembly: Assembly) -> Iterator[None]:
    """Interrupted, a run leaves a report on what it has, which says that it is partial; no model judges for it."""
    try:
        yield
    except KeyboardInterrupt:
        workspace = assembly.workspace
        if workspace.read_predictions():
            say("interrupted: writing what there is")
            score(
                workspace,
                {task.name: list(task.metrics) for task in assembly.suite.tasks},
                build(assembly.config.detector),
            )
            report(workspace, build(assembly.config.price), assembly.config.margin)
            say(f"partial result: {workspace.path / 'report.html'}")
        raise


def main(arguments: list[str]) -> int:
    """``bench run [key=value ...] [--fresh] [--config]``, or ``bench run -m [key=a,b ...]``: a sweep, to its end."""
    if {"-m", "--multirun"} & set(arguments):
        return multirun([argument for argument in arguments if argument not in ("-m", "--multirun")])
    flags = {argument for argument in arguments if argument.startswith("--")}
    unknown = flags - {"--fresh", "--config"}
    if unknown:
        raise UserError(f"{sorted(unknown)[0]}: no such flag; there are --config, --fresh, -m and --traceback")
    assembly = Assembly(compose([argument for argument in arguments if not argument.startswith("--")]))
    if "--config" in flags:
        from omegaconf import OmegaConf

        print(OmegaConf.to_yaml(assembly.config, resolve=True))
        return 0
    workspace = assembly.workspace
    if "--fresh" in flags and workspace.path.exists():
        aside = set_aside(workspace.path)
        say(f"set aside: {aside}")
    say(f"run {workspace.path.name}: systems {', '.join(assembly.system_nodes)} on {assembly.model.name}")
    summary = run(assembly)
    print(console_table(summary))
    print(f"report: {workspace.path / 'report.html'}")
    print(workspace.path)
    return 0


def set_aside(path: Path) -> Path:
    """Move a run's directory out of the way; nothing is deleted."""
    number = 1
    while (target := path.with_name(f"{path.name}.aside-{number}")).exists():
        number += 1
    with Workspace(path).alone():
        path.rename(target)
    return target
