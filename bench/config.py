"""Configs: composed by Hydra, checked, and hashed. Every mistake becomes one line."""

from __future__ import annotations

import copy
import difflib
import hashlib
import json
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.checking import check_nodes, check_run
from bench.records import OWN_PRICE
from systems.base import UserError

if TYPE_CHECKING:
    from omegaconf import DictConfig

APART = ("run_dir", "builds_dir", "tracker", "hydra")
"""Keys that change nothing of what is measured: they are not part of a config's hash."""

SITE = "KNOWHOW_SITE"
"""Names a directory of further config files, in groups as in ``conf``: a cluster's launcher, its models, its prices."""


def compose(overrides: Sequence[str], root: str = "run", hints: bool = True) -> DictConfig:
    """The config of a stage with the user's ``key=value`` overrides, interpolations still live.

    ``hints``: an unknown key is told with the nearest that exists, for which the config is composed without it.
    """
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    if not OmegaConf.has_resolver("package"):
        OmegaConf.register_new_resolver("package", _package_path)
    for override in overrides:
        if override.startswith("-"):
            raise UserError(f"{override}: no such flag here; settings are given as key=value")
        key, mark, _ = override.partition("=")
        if not override.startswith("~") and not (key.strip() and mark):
            raise UserError(f"{override}: must be key=value, as seed=1 or engine=stub")
    direct = [*_site(), *overrides]
    deeper: list[str] = []
    while True:
        GlobalHydra.instance().clear()
        try:
            with initialize_config_module("conf", version_base="1.3"):
                config = hydra_compose(root, overrides=direct)
            break
        except (HydraException, OmegaConfBaseException) as error:
            # Hydra sets no key behind a reference, as systems.rag.retriever.top_k behind retriever: ${retriever}.
            refused = re.search(r"Could not override '([^']+)'", str(error))
            found = [item for item in direct if refused and item.partition("=")[0] == refused.group(1)]
            if not found:
                raise UserError(_one_line(error, root, overrides, hints)) from error
            direct, deeper = [item for item in direct if item not in found], [*deeper, *found]
    try:
        for item in deeper:
            set_key(config, item, root, overrides)
        for key in sorted(OmegaConf.missing_keys(config)):
            raise UserError(f"{key}: has to be given, as {key}=VALUE")
        raw = OmegaConf.to_container(config, resolve=False)
        plain = OmegaConf.to_container(config, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_one_line(error, root, overrides, hints)) from error
    own_price(config, overrides)
    assert isinstance(plain, dict)
    assert isinstance(raw, dict)
    check = check_run if root == "run" else check_nodes
    check({str(key): value for key, value in plain.items()}, {str(key): value for key, value in raw.items()})
    return config


def own_price(config: DictConfig, overrides: Sequence[str]) -> None:
    """A figure that somebody gives is his own, and not the price list's that the file names."""
    keys = {override.partition("=")[0].lstrip("+") for override in overrides}
    if any(key.startswith("price.per_") for key in keys) and "price.source" not in keys and "price" in config:
        config.price.source = OWN_PRICE


def launcher_node(overrides: Sequence[str]) -> dict[str, Any]:
    """What ``hydra/launcher`` and the overrides of ``hydra.launcher`` come to, as plain data."""
    from hydra import compose as hydra_compose
    from hydra import initialize_config_module
    from hydra.core.global_hydra import GlobalHydra
    from hydra.errors import HydraException
    from omegaconf import OmegaConf
    from omegaconf.errors import OmegaConfBaseException

    GlobalHydra.instance().clear()
    try:
        with initialize_config_module("conf", version_base="1.3"):
            config = hydra_compose("run", overrides=[*_site(), *overrides], return_hydra_config=True)
        plain = OmegaConf.to_container(config.hydra.launcher, resolve=True)
    except (HydraException, OmegaConfBaseException) as error:
        raise UserError(_one_line(error, "run", overrides, hints=False)) from error
    assert isinstance(plain, dict)
    return {str(key): value for key, value in plain.items()}


def _site() -> list[str]:
    """The directory of config files that the users of a cluster share, if ``$KNOWHOW_SITE`` names one."""
    place = os.environ.get(SITE)
    if not place:
        return []
    if not Path(place).is_dir():
        raise UserError(f"{SITE}={place}: not a directory; it must be one of config groups, as hydra/launcher/")
    return [f"hydra.searchpath=['file://{Path(place).resolve()}']"]


def set_key(config: DictConfig, override: str, root: str = "run", overrides: Sequence[str] = ()) -> None:
    """Set a key that exists; one behind a reference to another part of the config gets a copy of its own there."""
    from hydra.core.override_parser.overrides_parser import OverridesParser
    from omegaconf import OmegaConf

    parsed = OverridesParser.create().parse_override(override)
    node: Any = config
    *above, last = parsed.key_or_group.split(".")
    for part in above:
        if not hasattr(node, "keys") or part not in node:
            break
        if OmegaConf.is_interpolation(node, part):
            node[part] = copy.deepcopy(node[part])
        node = node[part]
    if node is None:
        raise UserError(f"{parsed.key_or_group}: no such key, since {'.'.join(above)} is null")
    if not hasattr(node, "keys") or last not in node:
        raise UserError(_unknown(parsed.key_or_group, root, overrides))
    node[last] = parsed.value()


def _unknown(key: str, root: str, overrides: Sequence[str], hints: bool = True) -> str:
    return f"{key}: no such key{_hint(_near_keys(key, root, overrides) if hints else [])}"


def _package_path(package: str, name: str) -> str:
    """Directory of a package's data."""
    import importlib.util

    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / name)


def _one_line(error: BaseException, root: str, overrides: Sequence[str], hints: bool) -> str:
    """Hydra's words in one line, with the nearest key or option that exists."""
    from hydra.errors import OverrideParseException

    text = str(error)
    cause = error.__cause__ or error.__context__
    missing = re.search(r"Could not find '([^']+)'", text) or re.search(r"Could not load '([^']+)'", text)
    if missing:
        group, _, option = missing.group(1).rpartition("/")
        places = [Path(_package_path("conf", ".")), *([Path(os.environ[SITE])] if os.environ.get(SITE) else [])]
        options = sorted({path.stem for place in places for path in (place / group).glob("*.yaml")})
        near = difflib.get_close_matches(option, options, 1)
        return f"{group}={option}: no such option{_hint(near)}; there are: {', '.join(options)}"
    unknown = re.search(r"Could not override '([^']+)'", text)
    if unknown:
        return _unknown(unknown.group(1), root, overrides, hints)
    mandatory = re.search(r"Missing mandatory value: (\S+)", text)
    if mandatory:
        return f"{mandatory.group(1)}: has to be given, as {mandatory.group(1)}=VALUE"
    lines = [line.strip() for line in text.splitlines() if line.strip() and "https://hydra.cc" not in line]
    if cause is not None and len(lines) == 1 and str(cause).strip():
        lines.append(str(cause).strip().splitlines()[0])
    if isinstance(error, OverrideParseException):
        return f"{error.override}: cannot be read; see that brackets and quotes are closed ({lines[0]})"
    return ": ".join(dict.fromkeys(line.rstrip(".") for line in lines[:2]))


def _near_keys(key: str, root: str, overrides: Sequence[str]) -> list[str]:
    """The key that exists, under the user's own choice of groups, and looks like the mistyped one."""
    groups = [item for item in overrides if "." not in item.partition("=")[0] and not item.startswith(key)]
    try:
        node: Any = compose(groups, root, hints=False)
    except UserError:
        node = compose([], root, hints=False)
    parts = key.split(".")
    for place, part in enumerate(parts):
        if not hasattr(node, "keys"):
            return []
        if part not in node:
            near = difflib.get_close_matches(part, [str(name) for name in node], 1, 0.5)
            return [".".join([*parts[:place], name, *parts[place + 1 :]]) for name in near]
        node = node[part]
    return []


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
        if not runtime:
            return instantiate(node, _convert_="all")
        # Objects go past Hydra: it would take a dataclass for a config and hand on a dict.
        return instantiate(node, _convert_="all", _partial_=True)(**runtime)
    except (InstantiationException, TypeError) as error:
        cause = error.__cause__
        if isinstance(cause, UserError):
            raise cause from error
        target = node.get("_target_", "?") if hasattr(node, "get") else "?"
        words = str(cause or error).splitlines()[0]
        raise UserError(f"{target}: {words}") from error
