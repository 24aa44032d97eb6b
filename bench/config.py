"""Configs: composed by Hydra, checked, and hashed. Every mistake becomes one line."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from systems.base import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

APART = ("run_dir", "builds_dir", "tracker", "hydra")
"""Keys that change nothing of what is measured: they are not part of a config's hash."""


def compose(overrides: Sequence[str], root: str = "run") -> DictConfig:
    """The config of a stage with the user's ``key=value`` overrides, interpolations still live."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not OmegaConf.has_resolver("package"):
        OmegaConf.register_new_resolver("package", _package_path)
    GlobalHydra.instance().clear()
    try:
        with initialize_config_module("conf", version_base="1.3"):
            config = hydra_compose(root, overrides=list(overrides))
        OmegaConf.to_container(config, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_one_line(error, root)) from error
    return config


def _package_path(package: str, name: str) -> str:
    """Directory of a package's data."""
    import importlib.util

    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / name)


def _one_line(error: BaseException, root: str) -> str:
    """Hydra's words in one line, with the nearest key or option that exists."""
    text = str(error)
    cause = error.__cause__ or error.__context__
    missing = re.search(r"Could not find '([^']+)'", text) or re.search(r"Could not load '([^']+)'", text)
    if missing:
        group, _, option = missing.group(1).rpartition("/")
        options = sorted(path.stem for path in (Path(_package_path("conf", ".")) / group).glob("*.yaml"))
        near = difflib.get_close_matches(option, options, 1)
        return f"{group}={option}: no such option{_hint(near)}; there are: {', '.join(options)}"
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown:
        key = unknown.group(1)
        return f"{key}: no such key{_hint(_near_keys(key, root))}"
    mandatory = re.search(r"Missing mandatory value: (\S+)", text)
    if mandatory:
        return f"{mandatory.group(1)}: has to be given, as {mandatory.group(1)}=VALUE"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if cause is not None and len(lines) == 1 and str(cause).strip():
        lines.append(str(cause).strip().splitlines()[0])
    return ": ".join(dict.fromkeys(line.rstrip(".") for line in lines[:2]))


def _near_keys(key: str, root: str) -> list[str]:
    """Keys of the default config that look like the mistyped one."""
    config = compose([], root)
    parts = key.split(".")
    node: Any = config
    for part in parts[:-1]:
        if not hasattr(node, "keys") or part not in node:
            break
        node = node[part]
    names = [str(name) for name in node] if hasattr(node, "keys") else []
    prefix = ".".join(parts[:-1])
    return [f"{prefix}.{name}" if prefix else name for name in difflib.get_close_matches(parts[-1], names, 1, 0.5)]


def _hint(near: Sequence[str]) -> str:
    return f"; did you mean {near[0]}?" if near else ""


def resolved(config: DictConfig) -> dict[str, Any]:
    """The config as plain data, all interpolations filled in."""
    from omegaconf import OmegaConf

    plain = OmegaConf.to_container(config, resolve=True)
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def config_hash(plain: dict[str, Any]) -> str:
    """First 8 hex digits of the hash of all that matters in a resolved config."""
    kept = {key: value for key, value in plain.items() if key not in APART}
    return hashlib.sha256(json.dumps(kept, sort_keys=True, default=str).encode()).hexdigest()[:8]


def build(node: Any, **runtime: Any) -> Any:
    """Instantiate a config node; a constructor's refusal becomes the user's one line."""
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate

    try:
        return instantiate(node, **runtime, _convert_="all")
    except InstantiationException as error:
        cause = error.__cause__
        if isinstance(cause, UserError):
            raise cause from error
        target = node.get("_target_", "?") if hasattr(node, "get") else "?"
        words = str(cause or error).splitlines()[0]
        raise UserError(f"{target}: {words}") from error
