"""The model hub and the cache of what was fetched from it. Only models that are not here need it."""

from __future__ import annotations

import os
from pathlib import Path

from bench.checkup.base import About, Finding, State
from bench.checkup.model import cached
from bench.checkup.web import ask, shown

NAME = "hub"
ESSENTIAL = False


def look(about: About) -> list[Finding]:
    model = about.part("model")
    path = str(model.get("path") or "")
    wanted = bool(path) and not Path(path).is_dir() and not cached(path, model.get("revision"))
    return [_reached(wanted, about.settings.patience), _cache()]


def _reached(wanted: bool, patience: float) -> Finding:
    """``wanted``: the config names a model that is neither a directory nor in the cache."""
    from huggingface_hub import constants

    fetch = "fetch the model where the hub can be reached, then model.path=DIR"
    if constants.HF_HUB_OFFLINE:
        state = State.BROKEN if wanted else State.NOT_NEEDED
        fix = f"unset HF_HUB_OFFLINE, or {fetch}" if wanted else ""
        return Finding(name=NAME, state=state, found="switched off by HF_HUB_OFFLINE", fix=fix, needed=wanted)
    reply = ask(f"{constants.ENDPOINT}/api/models?limit=1", patience)
    place = shown(constants.ENDPOINT)
    if reply.status is not None and reply.status < 500:
        return Finding(name=NAME, state=State.OK, found=f"{place} answers", needed=wanted)
    why = reply.text if reply.status is None else f"HTTP {reply.status}"
    fix = f"{fetch}; export HF_HUB_OFFLINE=1, so that nothing waits for it"
    return Finding(name=NAME, state=State.MISSING, found=f"{place}: {why}", fix=fix, needed=wanted)


def _cache() -> Finding:
    from huggingface_hub import constants

    place = Path(constants.HF_HUB_CACHE)
    there = place
    while not there.exists():
        there = there.parent
    models = sum(1 for _ in place.glob("models--*")) if place.is_dir() else 0
    if not os.access(there, os.W_OK):
        fix = "export HF_HOME=DIR with a directory that you may write to"
        return Finding(name="hub cache", state=State.BROKEN, found="it cannot be written to", fix=fix)
    return Finding(name="hub cache", state=State.OK, found=f"{models} model{'s' * (models != 1)} in it")
