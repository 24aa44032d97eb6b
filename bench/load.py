"""``bench load``: the queries again, as users would send them, to measure latency, throughput and goodput."""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.assembly import Assembly
from bench.begin import begin
from bench.build import Built, ready
from bench.config import build, compose
from bench.generate import told_of
from bench.heap import set_aside
from bench.journal import Journal, read
from bench.loading import measured
from bench.loading.client import Client
from bench.loading.deployments import Deployment, deployments
from bench.loading.machine import watched
from bench.loading.measured import Line, Search, Whole
from bench.loading.plan import WEIGHTS, Load
from bench.loading.records import Cell, Request
from bench.observing import Note, tell
from bench.progress import Progress, say
from bench.records import Sample
from bench.report import report
from bench.reporting.table import load_table
from bench.scoring import score
from systems.alarm import Alarm
from systems.base import Failure, Streaming, UserError
from systems.lease import Lease


def load_all(assembly: Assembly, built: Built, journal: Journal) -> list[str]:
    """Load what has not been loaded in full; a cell that was cut short is measured anew.

    Returns what went wrong: an engine that dies, or does not start, costs its own deployment and no other.
    """
    load: Load = build(assembly.config.load)
    lost: list[str] = []
    if not load.wanted:
        return lost
    whole = Whole(journal.records)
    for weights in load.weights:
        for deployment in deployments(assembly, built.index, built.adapters, weights):
            stage = Loading(load, deployment, assembly.samples, whole, journal)
            if stage.owed():
                try:
                    asyncio.run(stage.run())
                except Failure as failure:
                    lost.append(f"load, {WEIGHTS[weights]}: stopped before its end: {failure}")
                    say(lost[-1])
    return lost


@dataclass(frozen=True)
class Loading:
    """The load of one deployment."""

    load: Load
    deployment: Deployment
    samples: list[Sample]
    whole: Whole
    journal: Journal

    def owed(self) -> list[Cell]:
        """What is to be measured next: the cells of fixed rates and users, then one probe of each search."""
        names = list(self.deployment.systems)
        fixed = [cell for cell in self.load.cells(names, self.deployment.weights) if cell not in self.whole]
        return fixed or self._probes(names)

    def _probes(self, names: list[str]) -> list[Cell]:
        """The next probe of every system's search for goodput that is not over."""
        load, weights, found = self.load, self.deployment.weights, []
        if load.level is None:
            return []
        tried = self.whole.searches(load.level)
        for cache in load.caches:
            for number in range(load.searches):
                for name in names:
                    rate = load.search.next(tried.get(Search(name, weights, cache, number), {}))
                    if rate is not None:
                        found.append(load.cell(name, cache, weights, number, rate=rate, search=True))
        return found

    async def run(self) -> None:
        """Everything that is owed, through one stream of the engine."""
        engine = self.deployment.engine
        if not isinstance(engine, Streaming):
            raise UserError(
                f"engine={getattr(engine, 'name', '?')}: cannot be loaded, since it answers in batches only"
            )
        say(f"load: starting the engine ({self.deployment.weights})")
        with Alarm() as alarm, ThreadPoolExecutor(self.load.threads, "prepare") as pool:
            async with engine.streaming() as stream:
                while cells := self.owed():
                    for cell in cells:
                        client = Client(
                            system=self.deployment.systems[cell.system],
                            stream=stream,
                            pool=pool,
                            alarm=alarm,
                            timeout_seconds=self.load.timeout_seconds,
                            in_flight=self.load.in_flight,
                        )
                        await self._measure(cell, client)

    async def _measure(self, cell: Cell, client: Client) -> None:
        """One cell, from an empty queue until its last answer."""
        samples = self.load.choose(self.samples, cell)
        try:
            emptied = await client.stream.reset_prefix_cache()
        except Exception as error:
            raise Failure(f"{cell.system}, {cell.mode}: the engine is gone ({type(error).__name__})") from error
        if cell.cache == "warm":
            async with contextlib.aclosing(client.closed_loop(samples, users=8, warm_up=0)) as seen:
                async for _ in seen:
                    pass
        begun = self.whole.begin(cell)
        self._write(begun)
        if cell.rate is None:
            assert cell.users is not None
            asking = client.closed_loop(samples, cell.users, self.load.warm_up)
            scheduled = None
        else:
            scheduled = self.load.times(cell)
            asking = client.open_loop(samples, scheduled, self.load.warm_up)
        # Lines are written by a thread: a disk that makes the journal wait may not make the users wait.
        with ThreadPoolExecutor(1, "journal") as writer, set_aside(), watched() as usage:
            with Progress(f"{cell.system}: {cell.mode}", len(samples)) as progress:
                written, failures = [], 0
                async with contextlib.aclosing(asking) as records:
                    async for record in records:
                        written.append(writer.submit(self._write, measured.request(begun, record)))
                        progress.step()
                        failures += record.error is not None
                        tell(self._note(cell, record, progress, failures, scheduled))
            for line in written:
                line.result()
        self._write(measured.end(begun, emptied=emptied, machine=usage.to_json()))

    def _note(
        self, cell: Cell, record: Request, progress: Progress, failures: int, scheduled: np.ndarray | None
    ) -> Note:
        """``scheduled``: the moments of an open loop; in a closed one every user asks as long as there is more."""
        arrived = (
            min(progress.done + (cell.users or 0), progress.total)
            if scheduled is None
            else int(np.searchsorted(scheduled, record.scheduled + record.e2e, side="right"))
        )
        return Note(
            stage="load",
            system=cell.system,
            mode=cell.mode,
            done=progress.done,
            of=progress.total,
            failures=failures,
            seconds=record.e2e,
            in_flight=max(arrived - progress.done, 0),
        )

    def _write(self, line: Line) -> None:
        self.journal.append(line)
        self.whole.take(line)


def main(arguments: list[str]) -> int:
    """Load the systems of a config; what is missing is built first."""
    assembly = Assembly(compose(arguments))
    if not build(assembly.config.load).wanted:
        raise UserError("load: nobody asks; say load.rates=[4] or load.users=[2]")
    page = assembly.workspace.path / "report.html"
    with begin(assembly) as lease:
        with ready(assembly, lease) as built, Journal(assembly.workspace.load) as journal:
            try:
                lost = load_all(assembly, built, journal)
            except KeyboardInterrupt:
                if any(read(assembly.workspace.load)):
                    _reported(assembly, lease)
                    say(f"partial result: {page}")
                raise
        if lost:
            raise Failure(lost[0])
        if "engine" not in assembly.workspace.read_manifest():  # as a run that answered has written
            assembly.workspace.update_manifest(build=built.record, engine=told_of(assembly.engine))
        print(load_table(_reported(assembly, lease)))
        print(f"report: {page}")
    print(assembly.workspace.path)
    return 0


def _reported(assembly: Assembly, lease: Lease | None) -> dict[str, Any]:
    """Write summary and report on what there is, unless another has taken the run over meanwhile; gives the summary."""
    workspace = assembly.workspace
    if lease is not None:
        lease.confirm()
    if not workspace.scores.exists():  # of whatever was answered, or of nothing
        score(
            workspace, {task.name: list(task.metrics) for task in assembly.suite.tasks}, build(assembly.config.detector)
        )
    return report(workspace, build(assembly.config.price), assembly.config.margin)
