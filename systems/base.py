"""The words every system speaks: queries in, answers out, and the seams between the parts.

Nothing here imports a heavy library, and nothing in ``systems`` imports ``bench``: a system can be
used without the harness that measures it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

if TYPE_CHECKING:
    import numpy as np

Role = Literal["system", "user", "assistant"]


class UserError(Exception):
    """The user's mistake: one line that says what is wrong, where, and what would be right (exit code 2)."""


class Failure(Exception):
    """Something outside the user's words failed: a server, a disk, a device (exit code 1)."""


UNREACHED = "not reached: "
"""Begins the error of a call that was lost on its way to the engine or back: no outcome of the model."""


def unreached(error: str | None) -> bool:
    """Whether an answer's error says that its call was lost on the way."""
    return error is not None and error.startswith(UNREACHED)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """A solved query, for few-shot prompts. It comes from a training split, never from the evaluated one."""

    query: str
    answer: str


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """Decoding settings, the same for every system of a run."""

    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < float("inf"):
            raise UserError(f"sampling.temperature={self.temperature}: must be 0 or more")
        if not 0 < self.top_p <= 1:
            raise UserError(f"sampling.top_p={self.top_p}: must be above 0 and at most 1")
        if self.max_tokens < 1:
            raise UserError(f"sampling.max_tokens={self.max_tokens}: must be 1 or more")


@dataclass(frozen=True, kw_only=True)
class Call:
    """An engine call in a benchmark's own words, which no prompt builder may change but for passages before them."""

    prompt: str | tuple[Message, ...]
    """Raw text, or turns for the model's chat template; a last turn of the assistant's is continued."""
    continuation: str | None = None
    """What is scored by its log-likelihood after the prompt; ``None``: an answer is generated."""
    sampling: Sampling = field(default_factory=Sampling)
    """How it is generated: the benchmark's own settings."""
    stop: tuple[str, ...] = ()
    """Texts at which a generated answer ends; they are not part of it."""


@dataclass(frozen=True, kw_only=True)
class Query:
    """All that a system may see of a sample. References are not here, so they cannot leak."""

    text: str
    """The question, or the text to work on."""
    instruction: str = ""
    """What the task asks for, in a sentence or two."""
    guidance: str = ""
    """Further advice for the full prompt: labels, rules. The short prompt leaves it out."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema of the answer, if the task has one."""
    examples: tuple[Example, ...] = ()
    """Solved queries of the training split; the prompt setting says how many are shown."""
    role: str | None = None
    """Who asks: retrieval returns only chunks this role may see. ``None``: no filter."""
    filters: Mapping[str, Any] = field(default_factory=dict)
    """What else a chunk must satisfy: fields of ``Filters`` besides the role."""
    max_tokens: int = 64
    """The most tokens an answer may have."""
    calls: tuple[Call, ...] = ()
    """A benchmark's own prompts; ``text`` is then only searched for. Empty: the prompt builder writes the prompt."""

    def search_text(self) -> str:
        """What retrieval searches for."""
        return self.text

    def search_filters(self) -> Filters:
        """What the chunks that retrieval finds must satisfy."""
        return Filters(role=self.role, **self.filters)


@dataclass(frozen=True, kw_only=True)
class Document:
    """A text of the corpus, before chunking."""

    id: str
    title: str
    text: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    """``type``, ``version`` (int), ``date`` (ISO), ``roles`` (list; empty: everyone), ``source``."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A retrievable piece of a document."""

    id: str
    text: str
    title: str = ""
    document: str = ""
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A chunk a retriever found. Higher scores are better; scores of different retrievers do not compare."""

    chunk: Chunk
    score: float


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What a chunk must satisfy, applied inside the index query."""

    role: str | None = None
    types: tuple[str, ...] = ()
    versions: tuple[int, ...] = ()
    documents: tuple[str, ...] = ()
    """Ids of the only documents it may belong to; empty: any."""
    without: tuple[str, ...] = ()
    """Ids of documents it may not belong to."""
    date_from: str | None = None
    """ISO date, inclusive."""
    date_to: str | None = None
    """ISO date, inclusive."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """One call of an engine."""

    messages: tuple[Message, ...]
    sampling: Sampling
    adapter: str | None = None
    """Directory of a PEFT adapter, or ``None`` for the base weights."""
    schema: Mapping[str, Any] | None = None
    """Constrain the output to this JSON Schema (structured outputs). ``None``: free text."""
    token_ids: tuple[int, ...] = ()
    """The messages by the model's chat template, where they were encoded already; empty: the engine encodes."""
    text: str = ""
    """A raw prompt, in the place of messages."""
    stop: tuple[str, ...] = ()
    """Texts at which generation ends; the completion does not hold them."""
    continuation: tuple[int, ...] = ()
    """Tokens whose log-likelihood after ``token_ids`` is asked for; nothing is generated then."""


@dataclass(frozen=True, kw_only=True)
class Likelihood:
    """How likely a continuation is after its prompt."""

    log_likelihood: float
    """Sum over its tokens, natural logarithm."""
    greedy: bool
    """Whether each of its tokens is the likeliest where it stands."""


@dataclass(frozen=True, kw_only=True)
class Completion:
    """What an engine gave back for a request. A failed call has an ``error`` and no text."""

    text: str
    tokens_in: int
    tokens_out: int
    finish_reason: str
    token_ids: tuple[int, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds: ``queue``, ``prefill``, ``decode``, ``ttft``; a key is missing where the engine hides it. Of a streamed
    one also ``transport``, to the engine's core and back, if both ways were clocked, or ``remote``, all that a server
    hides. A scored one has no ``ttft``."""
    pieces: tuple[float, ...] = ()
    """Seconds from the call to each piece of the text, where they came one by one."""
    tokens_cached: int | None = None
    likelihood: Likelihood | None = None
    """Of the request's continuation, if it had one."""
    error: str | None = None


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All that a system gives back."""

    text: str
    reasoning: str = ""
    """The steps written before the answer, where the prompt asked for them; no measure reads them."""
    citations: tuple[int, ...] = ()
    """Numbers of the cited passages, 1-based, in the order they were shown."""
    retrieved: tuple[Hit, ...] = ()
    """What the retriever returned, best first."""
    shown: tuple[str, ...] = ()
    """Ids of the chunks that stood in the prompt, in order: passage 1 first."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds per stage, ``e2e`` among them."""
    pieces: tuple[float, ...] = ()
    """Seconds from the question to each piece of the text, where they came one by one."""
    tokens_in: int = 0
    tokens_out: int = 0
    tokens_cached: int | None = None
    """Prompt tokens that the engine's prefix cache held; ``None`` where it does not say."""
    finish_reason: str = "stop"
    outputs: tuple[str | Likelihood, ...] = ()
    """What each of the query's own calls gave, in their order; empty where it had none."""
    error: str | None = None


@runtime_checkable
class Generator(Protocol):
    """An engine: turns requests into completions.

    One that also gives log-likelihoods has an attribute ``likelihoods`` that is true; the others are never asked.
    """

    name: str

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        """Yield ``(index, completion)`` as each finishes, in any order.

        ``requests`` is pulled lazily: the engine takes the next one only when it has room for it, and
        works on at most ``in_flight`` at once (``None``: as many as it can).
        """
        ...

    @property
    def loads(self) -> int:
        """How often the weights were loaded by this engine: 1 is what a fair comparison of quality allows."""
        ...

    def start(self) -> None:
        """Load the weights, or make sure that somebody answers. Raises ``Failure`` where that cannot be."""
        ...

    def reset_prefix_cache(self) -> bool:
        """Forget what earlier prompts left; ``False`` where that is not in our hands."""
        ...

    def close(self) -> None:
        """Give back memory and processes."""
        ...


class Stream(Protocol):
    """A started engine that answers requests as they come, several at once, within one event loop."""

    async def complete(self, request: Request) -> Completion:
        """One answer; a call that failed is one with an ``error``. Cancelled, it leaves no work behind."""
        ...

    async def reset_prefix_cache(self) -> bool:
        """Forget what earlier prompts left; ``False`` where that is not in our hands."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """An engine that can be asked as users ask: one request at a time, each when it comes."""

    def streaming(self) -> AbstractAsyncContextManager[Stream]:
        """The engine for as long as the context lasts. It may be another load of the weights."""
        ...


class Embedder(Protocol):
    """Text to unit vectors."""

    @property
    def identity(self) -> str:
        """Names the weights and settings: part of every cache key."""
        ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> np.ndarray:
        """Shape (len(texts), dimensions), float32, rows of length 1."""
        ...


class Retriever(Protocol):
    """Query to ranked chunks."""

    def retrieve(self, text: str, filters: Filters) -> tuple[list[Hit], dict[str, float]]:
        """Hits, best first, and the seconds spent per stage (``embed``, ``search``, ``rerank``)."""
        ...


class Reranker(Protocol):
    """Ranked chunks to better ranked chunks."""

    @property
    def identity(self) -> str: ...

    def rerank(self, text: str, hits: Sequence[Hit]) -> list[Hit]:
        """The same hits in a new order, with new scores."""
        ...


@dataclass(frozen=True, kw_only=True)
class Prepared:
    """A query on its way: retrieved for, its prompt built, not yet generated."""

    query: Query
    request: Request
    retrieved: tuple[Hit, ...] = ()
    shown: tuple[str, ...] = ()
    timings: Mapping[str, float] = field(default_factory=dict)
    """Seconds: ``embed``, ``search``, ``rerank``, ``prompt``."""
    started: float = 0.0
    """``time.perf_counter()`` when preparing began."""
    further: tuple[Request, ...] = ()
    """Requests after the first, where the query has several calls."""

    @property
    def requests(self) -> tuple[Request, ...]:
        """All of them."""
        return (self.request, *self.further)


class System(Protocol):
    """A thing that answers, in two steps, so that every prompt can be checked before any is generated."""

    name: str

    def prepare(self, query: Query) -> Prepared:
        """Retrieve and build the prompt. Raises ``UserError`` where it cannot fit the context."""
        ...

    def respond(self, prepared: Iterable[Prepared], in_flight: int | None = None) -> Iterator[tuple[int, Answer]]:
        """Yield ``(index, answer)`` as each finishes, in any order. ``prepared`` is pulled lazily."""
        ...

    async def serve(self, query: Query, stream: Stream, pool: Executor) -> Answer:
        """Answer one query while others are on their way; what is prepared is prepared in the pool's threads."""
        ...
