"""How weights are served: as in the quality run, with adapters merged in, or without the machinery for adapters."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.assembly import Assembly
from bench.progress import say
from systems.artifacts import content_hash
from systems.base import System, UserError
from systems.model import Adapter, Model

if TYPE_CHECKING:
    from systems.knowledge.index import Index


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """One load of the weights, and the systems that it serves."""

    weights: str
    engine: Any
    systems: Mapping[str, System]


def deployments(
    assembly: Assembly, index: Index | None, adapters: Mapping[str, str], weights: str
) -> Iterator[Deployment]:
    """The deployments of one way to serve, for all systems it makes a difference to.

    ``adapters``: system → directory of its adapter. ``merged`` has one deployment per adapter.
    """
    if weights == "request":
        served = {name: adapters.get(name) for name in assembly.system_nodes}
        yield Deployment(weights=weights, engine=assembly.engine, systems=_systems(assembly, index, served))
        return
    engine: Any = assembly.engine
    if not hasattr(engine, "adapters"):
        raise UserError(
            f"load.weights: {weights}: engine={assembly.engine.name} does not say how it serves adapters; "
            "take engine=vllm, or load.weights=[request]"
        )
    if weights == "plain":
        base = [name for name in assembly.system_nodes if name not in adapters]
        if base:
            bare = replace(engine, adapters=False)
            yield Deployment(weights=weights, engine=bare, systems=_systems(assembly, index, dict.fromkeys(base, None)))
        return
    for path in dict.fromkeys(adapters.values()):
        tuned = [name for name, own in adapters.items() if own == path]
        whole = replace(engine, model=merged(assembly, path), adapters=False)
        yield Deployment(weights=weights, engine=whole, systems=_systems(assembly, index, dict.fromkeys(tuned, None)))


def merged(assembly: Assembly, adapter: str) -> Model:
    """The base model with an adapter merged in, built once."""
    name = Adapter(path=adapter).name

    def make(directory: Path) -> None:
        from systems.tuning.merging import merge

        say(f"merging adapter {name} into {assembly.model.name}")
        merge(assembly.model, adapter, directory)

    inputs = {"model": assembly.model.identity, "adapter": name}
    path = assembly.store.build("merged", content_hash(inputs)[:16], make, inputs)
    return replace(assembly.model, path=str(path), revision=None)


def _systems(assembly: Assembly, index: Index | None, adapters: Mapping[str, str | None]) -> dict[str, System]:
    """Systems as they are served: no query is embedded beforehand, since that is part of what a user waits for."""
    return {name: assembly.system(name, index=index, adapter=adapter) for name, adapter in adapters.items()}
