"""``cost.json``: the account of a run, and the person's own figures that it rests on."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bench.costs.account import account
from bench.costs.price import Price
from bench.costs.settings import Settings
from bench.journal import write_atomically
from bench.workspace import Workspace
from systems.base import UserError


def write_account(
    workspace: Workspace, summary: Mapping[str, Any], price: Price, own: Settings | None = None
) -> dict[str, Any]:
    """Write the account and give it back. Without own figures, those stay that were declared before."""
    found = account(summary, workspace.read_manifest(), price, declared(workspace) if own is None else own)
    write_atomically(workspace.cost, json.dumps(found, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
    return found


def declared(workspace: Workspace) -> Settings:
    """A person's own figures of this run; the default ones where nobody declared any."""
    return Settings(**_read(workspace)["settings"]) if workspace.cost.exists() else Settings()


def write_again(workspace: Workspace, summary: Mapping[str, Any]) -> None:
    """The account that is there, anew at its own price: the summary has changed. Without one, nothing is done."""
    if workspace.cost.exists():
        write_account(workspace, summary, Price(**_read(workspace)["price"]))


def _read(workspace: Workspace) -> dict[str, dict[str, Any]]:
    try:
        found = json.loads(workspace.cost.read_text(encoding="utf-8"))
        Settings(**found["settings"])
        Price(**found["price"])
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{workspace.cost}: not as bench cost writes it ({error}); remove it") from None
    kept: dict[str, dict[str, Any]] = found
    return kept
