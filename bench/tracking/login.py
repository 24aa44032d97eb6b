"""Where W&B is reached, and where it keeps its files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

SERVER = "https://api.wandb.ai"


def server() -> str:
    """The address of the W&B server."""
    return os.environ.get("WANDB_BASE_URL") or SERVER


def mode(wanted: str) -> str:
    """``online``, ``offline`` or ``disabled``; ``auto`` is as ``$WANDB_MODE`` says, else online where a key is."""
    said = os.environ.get("WANDB_MODE", "")
    if wanted != "auto":
        return wanted
    if said in ("online", "offline", "disabled"):
        return said
    return "online" if logged_in() else "offline"


def logged_in() -> bool:
    """Whether a key is at hand, in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    import netrc

    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(urlsplit(server()).hostname or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


@contextmanager
def own_folders(folder: Path) -> Iterator[None]:
    """W&B stages files in the user's home unless told otherwise: they belong to the run. The user's word goes first."""
    ours = {f"WANDB_{part}_DIR": str((folder / part.lower()).resolve()) for part in ("DATA", "CACHE", "ARTIFACT")}
    # Its own telemetry goes nowhere, unless somebody wants it to.
    quiet = {"WANDB_SILENT": "true", "WANDB_ERROR_REPORTING": "false"}
    new = {name: value for name, value in {**ours, **quiet}.items() if name not in os.environ}
    os.environ.update(new)
    try:
        yield
    finally:
        for name in new:
            os.environ.pop(name, None)


@contextmanager
def staged_apart(folder: Path) -> Iterator[None]:
    """What is sent at once is staged in a directory without a name of its own: W&B's artifact manifests tell the server
    where each file lay. ``folder`` is the one of ``own_folders``; where the user chose another, that stays."""
    ours = str((folder / "data").resolve())
    if os.environ.get("WANDB_DATA_DIR") != ours:
        yield
        return
    with TemporaryDirectory(prefix="wandb-") as place:
        os.environ["WANDB_DATA_DIR"] = place
        try:
            yield
        finally:
            os.environ["WANDB_DATA_DIR"] = ours
