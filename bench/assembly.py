"""From a config to objects: model, engine, suite, and the systems with all they need at run time.

No system is named here: a node of ``systems`` says by ``_target_`` what it is, by ``retriever`` that it
wants the index, and by ``adapter`` that it wants tuned weights.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.config import build, config_hash, resolved
from bench.tasks.base import Suite
from bench.tracking.base import Tracker
from bench.workspace import Workspace
from systems.artifacts import Store
from systems.base import Generator, System, UserError
from systems.model import Model

if TYPE_CHECKING:
    from omegaconf import DictConfig

    from bench.records import Sample
    from systems.base import Embedder, Retriever
    from systems.knowledge.chunking import Chunker
    from systems.knowledge.embedding import CachedEmbedder, KnownQueries
    from systems.knowledge.index import Index


@dataclass(frozen=True)
class Assembly:
    """The parts of one run, each made once and only when it is needed."""

    config: DictConfig

    @cached_property
    def plain(self) -> dict[str, Any]:
        """The resolved config."""
        return resolved(self.config)

    @property
    def name(self) -> str:
        """Experiment's name."""
        return str(self.config.name)

    @cached_property
    def workspace(self) -> Workspace:
        """Where the run lives: its name and its config's hash, unless the user says otherwise."""
        given = self.config.run_dir
        return Workspace(Path(given) if given else Path("results/runs") / f"{self.name}-{config_hash(self.plain)}")

    @cached_property
    def tracker(self) -> Tracker:
        """Who is told of the run."""
        return build(self.config.tracker)

    @cached_property
    def store(self) -> Store:
        """Finished builds."""
        return Store(Path(self.config.builds_dir))

    @cached_property
    def model(self) -> Model:
        """The base model."""
        return build(self.config.model)

    @cached_property
    def engine(self) -> Generator:
        """What runs the model; its weights are loaded at the first request."""
        # A system may have an adapter of its own, larger than the others': the engine has to hold all of them.
        ranks = [int(node.adapter.rank) for node in self.system_nodes.values() if "rank" in (node.get("adapter") or {})]
        known = self.config.engine.get("max_lora_rank")
        return build(
            self.config.engine,
            model=self.model,
            **({"max_lora_rank": max([int(known), *ranks])} if known is not None else {}),
        )

    @cached_property
    def suite(self) -> Suite:
        """Tasks and corpus."""
        return build(self.config.suite)

    @cached_property
    def samples(self) -> list[Sample]:
        """What is asked: the samples of the run's split."""
        split = str(self.config.split)
        found = self.suite.samples(split)
        if not found:
            raise UserError(f"suite: has no samples to evaluate{'' if split == 'test' else f' in split={split}'}")
        return found

    @cached_property
    def chunker(self) -> Chunker:
        """How documents are cut."""
        return build(self.config.chunking)

    @cached_property
    def embedder(self) -> CachedEmbedder:
        """Text to vectors, each text once."""
        from systems.knowledge.embedding import CachedEmbedder

        self.store.root.mkdir(parents=True, exist_ok=True)
        return CachedEmbedder(build(self.config.embedder), self.store.root / "embeddings.sqlite")

    @cached_property
    def left_out(self) -> dict[str, str]:
        """Systems that cannot be built from this suite, and why."""
        found = {}
        for name, node in (self.config.systems or {}).items():
            if node.get("adapter") is not None and not self.suite.lessons():
                found[str(name)] = "there is no training split to tune on"
            elif "retriever" in node and not self.suite.corpus:
                found[str(name)] = "there is no corpus to retrieve from"
        return found

    @cached_property
    def system_nodes(self) -> Mapping[str, Any]:
        """The config nodes of the systems that can be built, by name."""
        nodes = self.config.systems
        if not nodes:
            raise UserError("systems: there are none; choose a set, as systems=all")
        kept = {str(name): node for name, node in nodes.items() if name not in self.left_out}
        if not kept:
            reasons = "; ".join(f"{name}: {reason}" for name, reason in self.left_out.items())
            raise UserError(f"systems: none of them can be built from this suite ({reasons})")
        return kept

    def wants_index(self, name: str) -> bool:
        """Whether this system retrieves."""
        return "retriever" in self.system_nodes[name]

    def wants_adapter(self, name: str) -> bool:
        """Whether this system has tuned weights."""
        return self.system_nodes[name].get("adapter") is not None

    def embedder_of(self, node: Any) -> CachedEmbedder | None:
        """What a retriever node embeds with; ``None`` where it goes by words alone, so that nothing is loaded."""
        return None if searching(node).get("mode") == "sparse" else self.embedder

    def retriever(self, node: Any, index: Index, at_least: int, queries: Sequence[str] = ()) -> Any:
        """The retriever of a node over the built index. It finds ``at_least`` as many chunks as are to be shown.

        ``queries``: what it will be asked, where that is known and its time is not measured. A node that holds another
        one works with what that one finds, and is told all questions of the run if it has a place for them.
        """
        if "retriever" in node:
            from hydra.utils import get_object

            parts: dict[str, Any] = {"retriever": self.retriever(node.retriever, index, at_least, queries)}
            if "questions" in inspect.signature(get_object(node["_target_"])).parameters:
                parts["questions"] = [sample.query.search_text() for sample in self.samples]
            return build(node)(**parts)
        depth = {"top_k": max(node.top_k, at_least)} if "top_k" in node else {}
        embedder: Embedder | None = self.embedder_of(node)
        if embedder is not None and queries:
            embedder = self._knowing(embedder, tuple(queries))
        return build(node)(index=index, embedder=embedder, **depth)

    @cached_property
    def _known(self) -> dict[tuple[str, ...], KnownQueries]:
        return {}

    def _knowing(self, embedder: Embedder, queries: tuple[str, ...]) -> Embedder:
        """The embedder with these queries known: one for all retrievers that are asked the same."""
        from systems.knowledge.embedding import KnownQueries

        if queries not in self._known:
            self._known[queries] = KnownQueries.of(embedder, queries)
        return self._known[queries]

    def system(
        self,
        name: str,
        *,
        index: Index | None,
        adapter: str | None,
        queries: Sequence[str] = (),
        retriever: Retriever | None = None,
    ) -> System:
        """A system with its parts. ``queries``: as for the method ``retriever``; ``retriever``: instead of its own."""
        from hydra.utils import get_object

        node = self.system_nodes[name]
        parts: dict[str, Any] = {"model": self.model, "engine": self.engine}
        for key, value in node.items():
            if key == "_target_":
                continue
            if key == "retriever" and retriever is not None:
                parts[key] = retriever
            elif key == "retriever":
                assert index is not None
                parts[key] = self.retriever(value, index, node.get("top_k", 1), queries)
            elif key == "adapter":
                parts[key] = adapter
            else:
                parts[key] = build(value) if hasattr(value, "get") and "_target_" in value else value
        try:
            return get_object(node["_target_"])(**parts)
        except TypeError as error:
            raise UserError(f"systems.{name}: {error}") from error

    def check_systems(self) -> None:
        """Make every system without what has to be built for it, so that a wrong setting is refused before that."""
        from systems.knowledge.oracle import OracleRetriever

        for name in self.system_nodes:
            self.system(name, index=None, adapter="" if self.wants_adapter(name) else None, retriever=OracleRetriever())


def searching(node: Any) -> Any:
    """The retriever node that searches the index: itself, or the innermost one it holds."""
    while "retriever" in node:
        node = node.retriever
        if not hasattr(node, "get"):
            raise UserError(f"retriever.retriever={node}: must be settings of a retriever, as conf/retriever has them")
    return node
