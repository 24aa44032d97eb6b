"""Runs the demo once in a fresh place and watches it from outside."""

from __future__ import annotations

import json
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.benchmarks.watched import Watched, watch


@dataclass(frozen=True)
class DemoRun:
    """What was seen of one demo, and what it says of itself."""

    seen: Watched
    manifest: dict[str, Any]


def run_demo(root: Path, *overrides: str, apart: bool = False) -> DemoRun:
    """``bench run experiment=pocket`` with nothing built beforehand. ``apart``: see ``watch``."""
    command = ["bench", "run", "experiment=pocket", f"run_dir={root / 'run'}", f"builds_dir={root / 'builds'}"]
    seen = watch([*command, *overrides], apart=apart)
    return DemoRun(seen, json.loads((root / "run" / "manifest.json").read_text()))


def fresh() -> Path:
    """A new empty directory."""
    return Path(tempfile.mkdtemp(prefix="knowhow-benchmark-"))
