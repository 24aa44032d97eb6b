"""Whether the base model's weights are here."""

from __future__ import annotations

from pathlib import Path

from bench.checkup.base import About, Finding, State

NAME = "model"
ESSENTIAL = True


def look(about: About) -> list[Finding]:
    model = about.part("model")
    path, name = str(model.get("path") or ""), str(model.get("name") or "")
    if not path:
        return []
    directory = Path(path)
    if directory.is_dir():
        lacks = [what for what in ("config.json", "tokenizer.json", "*.safetensors") if not any(directory.glob(what))]
        if not lacks:
            return [Finding(name=NAME, state=State.OK, found=f"{name}: weights and tokenizer", needed=True)]
        found = f"{name}: its directory has no {' and no '.join(lacks)}"
        fix = "git restore bench/pocket/weights" if name == "pocket" else "model.path=DIR with a whole checkpoint"
        return [Finding(name=NAME, state=State.BROKEN, found=found, fix=fix, needed=True)]
    if cached(path, model.get("revision")):
        return [Finding(name=NAME, state=State.OK, found=f"{name}: in the hub's cache", needed=True)]
    fix = f"huggingface-cli download {path}, where the hub can be reached, or model.path=DIR"
    return [Finding(name=NAME, state=State.MISSING, found=f"{name}: not here yet, the first use loads it", fix=fix)]


def cached(name: str, revision: str | None) -> bool:
    """Whether a hub model's configuration and weights were fetched before."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        place = Path(snapshot_download(name, revision=revision, local_files_only=True))
    except (LocalEntryNotFoundError, HFValidationError):
        return False
    return any(place.glob("*.safetensors")) and (place / "config.json").exists()
