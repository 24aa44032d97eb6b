"""The official JSON Schema test suite: every required case of the drafts that tasks are written in."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from referencing import Registry
from referencing.jsonschema import DRAFT7, DRAFT202012

from bench.metrics.json_schema import first_error, validator
from tests.oracles.row import Row

DRAFTS = {
    "draft7": "http://json-schema.org/draft-07/schema#",
    "draft2020-12": "https://json-schema.org/draft/2020-12/schema",
}
OTHERS = ("draft3", "draft4", "draft6", "draft2019", "v1")
"""Folders of remote documents that no case of these drafts asks for."""


def rows(folder: Path) -> Iterator[Row]:
    """A row per draft; the first case that is judged otherwise is named."""
    registry = _remotes(folder / "remotes")
    for draft, name in DRAFTS.items():
        cases = list(_cases(folder / "tests" / draft, name, registry))
        wrong = [place for place, right in cases if not right]
        got = f"{len(cases) - len(wrong)} cases" + (f", not {wrong[0]}" if wrong else "")
        expected = f"{len(cases)} cases"
        what = f"required cases of {draft} judged as it says"
        yield Row(oracle="JSON Schema suite", what=what, expected=expected, got=got, ok=not wrong and len(cases) > 900)


def _cases(folder: Path, draft: str, registry: Registry[Any]) -> Iterator[tuple[str, bool]]:
    """Where a case stands, and whether it was judged rightly."""
    for path in sorted(folder.glob("*.json")):
        for group in json.loads(path.read_text(encoding="utf-8")):
            schema = group["schema"]
            if isinstance(schema, dict) and "$schema" not in schema:
                schema = {"$schema": draft} | schema
            checker = validator(schema, registry)
            for case in group["tests"]:
                place = f"{path.name}: {group['description']}: {case['description']}"
                yield place, (first_error(checker, case["data"]) is None) == case["valid"]


def _remotes(root: Path) -> Registry[Any]:
    """What the suite's references may lead to; nothing is fetched."""
    resources = []
    for path in sorted(root.rglob("*.json")):
        name = path.relative_to(root).as_posix()
        if not name.startswith(OTHERS):
            draft = DRAFT7 if "draft7" in path.parts else DRAFT202012
            contents = json.loads(path.read_text(encoding="utf-8"))
            resources.append((f"http://localhost:1234/{name}", draft.create_resource(contents)))
    return Registry().with_resources(resources)
