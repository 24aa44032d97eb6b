"""A config's values against what takes them: a mistyped one is named before anything is built.

The constructor is the schema: every node with a ``_target_`` is held to its signature and its type hints.
"""

from __future__ import annotations

import importlib
import inspect
import math
import re
import types
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from systems.base import UserError

REFERENCE = re.compile(r"\$\{([a-z_][\w.]*)\}")


class Part:
    """What a node of its own makes."""


WORDS: dict[Any, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text",
    type(None): "null",
    Sequence: "a list",
    Mapping: "a mapping",
    Part: "a node with a _target_, as the files of a group are",
}


PARTS = (
    *("model", "engine", "prompt", "sampling", "chunking", "embedder", "index", "retriever", "tuning"),
    *("suite", "systems", "detector", "load", "price", "tracker"),
)
"""Groups that every run has a choice of."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """The values of ``conf/run.yaml`` that stand outside every group."""

    name: str
    run_dir: str | None
    builds_dir: str
    seed: int
    repeats: int
    context_budget: int
    passages: int
    corpus: str | None
    samples: str | None
    split: Literal["test", "development"]
    counterfactuals: Literal["none", "wrong"]
    probes: int | None
    margin: float | None

    def __post_init__(self) -> None:
        least = {"repeats": 1, "passages": 1, "context_budget": 0, "seed": 0, "probes": 0}
        for name, value in least.items():
            if (getattr(self, name) or 0) < value:
                raise UserError(f"{name}={getattr(self, name)}: must be {value} or more")
        if self.margin is not None and not 0 < self.margin < math.inf:
            raise UserError(f"margin={self.margin}: must be above 0, the largest difference that counts as the same")
        if not self.name or "/" in self.name:
            raise UserError(f"name={self.name}: must be a word without a slash; a directory is named by it")


def check_run(config: Mapping[str, Any], raw: Mapping[str, Any]) -> None:
    """Hold a resolved config to what takes it. ``raw`` is the same with its references unresolved."""
    hints = get_type_hints(RunSettings)
    for name in (*hints, *PARTS):
        if name not in config:
            raise UserError(f"{name}: was taken out of the config, but nothing runs without it")
    for name, hint in hints.items():
        _check_value(config[name], hint, name)
    RunSettings(**{name: config[name] for name in hints})
    for name in ("corpus", "samples"):
        if config[name] is not None and name not in config["suite"]:
            raise UserError(f"{name}={config[name]}: is for suite=files; this suite has its own; say suite=files")
    check_nodes(config, raw)


def check_nodes(config: Mapping[str, Any], raw: Mapping[str, Any]) -> None:
    """Hold every node of a resolved config to the constructor it names."""
    _walk(config, raw, raw, "")


def _walk(node: Any, raw: Any, root: Mapping[str, Any], place: str) -> None:
    """Every node below, named by the key that the user would set."""
    if isinstance(node, Mapping):
        children = {str(key): (value, _child(raw, key)) for key, value in node.items()}
    elif isinstance(node, list):
        children = {str(number): (value, _child(raw, number)) for number, value in enumerate(node)}
    else:
        return
    places: dict[str, str] = {}
    for key, (value, written) in children.items():
        places[key], written = _origin(f"{place}.{key}" if place else key, written, root)
        _walk(value, written, root, places[key])
    if isinstance(node, Mapping) and "_target_" in node:
        _check_node(node, place, places)


def _child(raw: Any, key: Any) -> Any:
    try:
        return raw[key]
    except (KeyError, IndexError, TypeError):
        return None


def _origin(place: str, written: Any, root: Mapping[str, Any]) -> tuple[str, Any]:
    """Where a value that only refers to another key comes from."""
    while isinstance(written, str) and (found := REFERENCE.fullmatch(written)):
        place, written = found.group(1), root
        for part in place.split("."):
            written = _child(written, part)
    return place, written


def _check_node(node: Mapping[str, Any], place: str, places: Mapping[str, str]) -> None:
    module, _, name = str(node["_target_"]).rpartition(".")
    try:
        target = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserError(f"{place}._target_={node['_target_']}: there is nothing of that name") from error
    parameters = inspect.signature(target).parameters
    open_ended = any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters.values())
    try:
        hints = get_type_hints(target)
    except NameError:  # names that only a type checker imports
        hints = {}
    for key, value in node.items():
        if key.startswith("_"):
            continue
        if key not in parameters and not open_ended:
            raise UserError(f"{places[key]}: {node['_target_']} has no such setting; it has: {', '.join(parameters)}")
        _check_value(value, hints.get(key, Any), places[key])


def _check_value(value: Any, hint: Any, place: str) -> None:
    built = isinstance(value, Mapping) and "_target_" in value
    kinds = [] if built else _kinds(hint)
    if kinds and not any(_fits(value, kind) for kind in kinds):
        wanted = " or ".join(_word(kind) for kind in kinds)
        raise UserError(f"{place}={_shown(value)}: must be {wanted}")


def _kinds(hint: Any) -> list[Any]:
    """What a hint admits, as far as it can be held to a plain value; empty: anything."""
    if get_origin(hint) in (Union, types.UnionType):
        parts = [_kinds(part) for part in get_args(hint)]
        return [kind for part in parts for kind in part] if all(parts) else []
    if get_origin(hint) is Literal:
        return [hint]
    if hint in (int, float, bool, str, type(None)):
        return [hint]
    origin = get_origin(hint) or hint
    if isinstance(origin, type):
        if getattr(origin, "_is_protocol", False) or is_dataclass(origin):
            return [Part]
        if issubclass(origin, Mapping):
            return [Mapping]
        if issubclass(origin, Sequence):
            return [Sequence]
    return []


def _fits(value: Any, kind: Any) -> bool:
    if get_origin(kind) is Literal:
        return value in get_args(kind)
    if kind is Sequence:
        return isinstance(value, list | tuple)
    if kind in (Mapping, Part):
        return isinstance(value, Mapping)
    if isinstance(value, bool):
        return kind is bool
    return isinstance(value, int | float) if kind is float else isinstance(value, kind)


def _word(kind: Any) -> str:
    return " or ".join(map(str, get_args(kind))) if get_origin(kind) is Literal else WORDS[kind]


def _shown(value: Any) -> str:
    """As the user would write it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return "{...}" if isinstance(value, Mapping) else str(value)
