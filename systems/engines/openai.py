"""Any OpenAI-compatible server, streaming: several calls at once, time-outs, bounded retries with backoff."""

from __future__ import annotations

import asyncio
import math
import os
import queue
import random
import threading
import time
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from systems.base import UNREACHED, Completion, Failure, Message, Request, Sampling, Stream, UserError, unreached
from systems.engines import event_stream
from systems.engines.event_stream import Refused
from systems.engines.stopping import before_stop
from systems.model import Adapter, Model, folded

if TYPE_CHECKING:
    from aiohttp import ClientSession

MOST_STOPS = 4
"""Stop texts that the protocol takes; what stands behind any other is cut off here."""
CONNECT_SECONDS = 10.0
"""Longest wait for a connection: a machine that is gone refuses none, it is silent."""


@dataclass(frozen=True, kw_only=True)
class OpenAIEngine:
    """A server that speaks ``/v1/chat/completions``. Queue and prefill are hidden there, so not reported."""

    model: Model
    name: str = "openai"
    base_url: str = "http://127.0.0.1:8000/v1"
    served_model: str | None = None
    """The model's name on the server; ``None``: ``model.name``."""
    served_adapters: Mapping[str, str] = field(default_factory=dict)
    """Adapter hash → its name on the server, where that differs from the hash."""
    key_variable: str = "OPENAI_API_KEY"
    """Environment variable that holds the key; the key itself is never part of a config."""
    extra_body: Mapping[str, Any] = field(default_factory=dict)
    """Further fields of every call, as a server of one's own may want them."""
    fold_system: bool = False
    """Put the system turn's text before the first user turn's, for models whose template knows none (Gemma's)."""
    concurrency: int = 16
    timeout_seconds: float = 60.0
    """For one try, from sending it to the last token. A try that takes longer fails the call: no other follows."""
    retries: int = 4
    """Further tries after a refused or lost connection, a 429 or a 5xx; a stream that has begun is not tried again."""
    backoff_seconds: float = 0.5
    """Longest wait before the first further try; it doubles with every try, up to 30 s, and is drawn from its
    upper half. A server's own ``Retry-After`` goes before it."""

    def __post_init__(self) -> None:
        for key in ("concurrency", "timeout_seconds"):
            if getattr(self, key) <= 0:
                raise UserError(f"engine.{key}={getattr(self, key)}: must be more than 0")
        for key in ("retries", "backoff_seconds"):
            if getattr(self, key) < 0:
                raise UserError(f"engine.{key}={getattr(self, key)}: must be 0 or more")

    @property
    def version(self) -> str:
        """The client's version; the server's is unknown."""
        return event_stream.version()

    @property
    def _key(self) -> str:
        return os.environ.get(self.key_variable, "").strip() or "none"

    @cached_property
    def _calls(self) -> _Calls:
        """Where calls run: a thread with an event loop of its own, so that calls can be cancelled at any point."""
        return _Calls(self._key, self.base_url)

    @property
    def loads(self) -> int:
        """The weights are the server's."""
        return 0

    def start(self) -> None:
        """One token, so that a wrong address or name is an error before the run and not 2,000 failed samples."""
        try:
            self.serves(None)
        except BaseException:
            self.close()
            raise

    def serves(self, adapter: str | None) -> None:
        """Make sure that the server answers, with this adapter (a directory) or with the base model."""
        body = self._body(_probe(adapter))

        async def ask() -> None:
            async with asyncio.timeout(self.timeout_seconds):
                async with aclosing(self._events(body, await self._calls.session())) as events:
                    found = [event async for event in events if event.get("choices")]
                if not found:
                    raise ValueError("it streamed no answer")

        where = f"engine.base_url={self.base_url}"
        try:
            self._calls.submit(ask()).result()
        except TimeoutError:
            raise Failure(f"{where}: no server answers there") from None
        except Refused as error:
            if error.status == 401:
                raise Failure(f"{where}: refused the key in ${self.key_variable}") from None
            if error.status == 404:
                raise UserError(
                    f"{where}: knows no model {body['model']!r}, or the address is not the one that ends in /v1; "
                    + ("load the adapter there, or say its name in engine.served_adapters" if adapter
                       else "its name there is set by engine.served_model")
                ) from error  # fmt: skip
            if error.status in (400, 403, 422):
                raise UserError(
                    f"{where}: refuses a plain question: {_words(error)[:160]}; where the model knows no system turn, "
                    "say engine.fold_system=true"
                ) from error
            if error.status in event_stream.GATEWAY:
                raise Failure(f"{where}: no server answers there ({_words(error)[:160]})") from None
            # Else busy, or in trouble with this one call: the run counts such calls, each for itself.
        except event_stream.failures() as error:
            if event_stream.unreachable(error):
                raise Failure(f"{where}: no server answers there") from None
            raise Failure(f"{where}: answers, but not as an OpenAI-compatible server: {_words(error)[:160]}") from error

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        """Raises ``Failure`` once the server is gone for good: what it did not answer is no outcome of the model."""
        room = min(in_flight or self.concurrency, self.concurrency)
        source = enumerate(requests)
        done: queue.Queue[tuple[int, Future[Completion]]] = queue.Queue()
        running: dict[int, Future[Completion]] = {}
        try:
            while True:
                while len(running) < room and (item := next(source, None)) is not None:
                    index, request = item
                    running[index] = self._calls.submit(self._call(request))
                    running[index].add_done_callback(partial(_hand_over, done, index))
                if not running:
                    return
                index, future = done.get()
                del running[index]
                completion = future.result()
                if unreached(completion.error):
                    self._still_there()
                yield index, completion
        finally:  # the caller stopped early: leave no call behind
            for future in running.values():
                future.cancel()

    def _still_there(self) -> None:
        try:
            self.start()
        except Failure as failure:
            raise Failure(f"{failure}; what is answered is kept, and the same command goes on from there") from None

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Stream]:
        """The server, each call tried once and for as long as the caller waits: who measures sees its refusals."""
        async with event_stream.session(self._key, self.base_url) as session:
            yield _OpenAIStream(replace(self, retries=0, timeout_seconds=math.inf), session)

    async def _call(self, request: Request) -> Completion:
        return await self.complete(request, await self._calls.session())

    async def complete(self, request: Request, session: ClientSession) -> Completion:
        """One request, tried until it is answered or has failed for good. A failure is an outcome, not an exception."""
        body = self._body(request)
        started = time.perf_counter()
        for attempt in range(self.retries + 1):
            reading = _Reading(started)
            try:
                async with asyncio.timeout(self.timeout_seconds), aclosing(self._events(body, session)) as events:
                    async for event in events:
                        reading.take(event)
                return self._completion(reading, request)
            except event_stream.failures() as error:
                lost = event_stream.lost(error)
                if isinstance(error, TimeoutError) and not lost:
                    return self._failed(f"TimeoutError: no complete answer within {self.timeout_seconds:g} s")
                if reading.begun or attempt == self.retries or not _may_pass(error):
                    return self._failed(f"{UNREACHED if lost else ''}{_words(error)}")
                asked = error.wait_seconds if isinstance(error, Refused) else None
                await asyncio.sleep(asked or self._wait(attempt))
        raise AssertionError("the last try returns")

    def _events(self, body: Mapping[str, Any], session: ClientSession) -> AsyncGenerator[dict[str, Any]]:
        """Of the chat, or of what follows a raw prompt."""
        path = "completions" if "prompt" in body else "chat/completions"
        return event_stream.events(session, f"{self.base_url.rstrip('/')}/{path}", body)

    def _wait(self, attempt: int) -> float:
        # Jitter, so that calls that were refused together do not come back together.
        return min(30.0, self.backoff_seconds * 2.0**attempt) * random.uniform(0.5, 1.0)

    def _failed(self, words: str) -> Completion:
        """Some servers repeat the key they refuse, and errors go to the journal: it is taken out."""
        line = (words.replace(self._key, "[key]") if self._key != "none" else words).strip().splitlines()[0]
        return Completion(text="", tokens_in=0, tokens_out=0, finish_reason="error", error=line[:240])

    def _body(self, request: Request) -> dict[str, Any]:
        """The body of the call."""
        sampling = request.sampling
        served = self.served_model or self.model.name
        if request.adapter:
            name = Adapter(path=request.adapter).name
            served = self.served_adapters.get(name, name)
        turns = [{"role": str(m.role), "content": m.content} for m in request.messages]
        body: dict[str, Any] = {
            "model": served,
            **({"messages": folded(turns) if self.fold_system else turns} if turns else {"prompt": request.text}),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_tokens": sampling.max_tokens,
            "seed": sampling.seed,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        if request.stop:
            body["stop"] = list(request.stop[:MOST_STOPS])
        if request.schema is not None:
            form = {"name": "answer", "schema": dict(request.schema), "strict": True}
            body["response_format"] = {"type": "json_schema", "json_schema": form}
        if self.model.template_arguments:  # the server applies the template, so it has to know them
            body["chat_template_kwargs"] = dict(self.model.template_arguments)
        return body | dict(self.extra_body)

    def _completion(self, reading: _Reading, request: Request) -> Completion:
        """``ttft`` counts from the first try, as a user would."""
        ended = time.perf_counter() - reading.started
        pieces, usage = reading.pieces, reading.usage
        text = before_stop("".join(reading.parts), request.stop)
        if reading.finish is None:
            raise ValueError("the stream ended before the answer was complete")
        return Completion(
            text=text,
            tokens_in=usage["prompt_tokens"] if usage else len(self.model.tokens(request)),
            tokens_out=usage["completion_tokens"] if usage else self.model.count(text),
            finish_reason=reading.finish,
            timings={"ttft": pieces[0], "remote": pieces[0], "decode": ended - pieces[0]} if pieces else {},
            pieces=tuple(pieces),
            tokens_cached=((usage or {}).get("prompt_tokens_details") or {}).get("cached_tokens"),
        )

    def reset_prefix_cache(self) -> bool:
        """A server's cache is not ours to reset."""
        return False

    def close(self) -> None:
        """Close the connections and end their thread."""
        if "_calls" in self.__dict__:
            self.__dict__.pop("_calls").close()


@dataclass
class _Reading:
    """An answer as it comes."""

    started: float
    begun: bool = False
    pieces: list[float] = field(default_factory=list)
    """Seconds from the start to each piece of text."""
    parts: list[str] = field(default_factory=list)
    usage: Mapping[str, Any] | None = None
    finish: str | None = None

    def take(self, event: Mapping[str, Any]) -> None:
        self.begun = True
        if not event:
            return
        self.usage = event.get("usage") or self.usage
        for choice in event["choices"]:
            said = choice["delta"].get("content") if "delta" in choice else choice["text"]
            if said:
                self.pieces.append(time.perf_counter() - self.started)
                self.parts.append(said)
            self.finish = choice.get("finish_reason") or self.finish


@dataclass(frozen=True)
class _OpenAIStream:
    engine: OpenAIEngine
    session: ClientSession

    async def complete(self, request: Request) -> Completion:
        return await self.engine.complete(request, self.session)

    async def reset_prefix_cache(self) -> bool:
        return False


class _Calls:
    """Connections on an event loop in a thread of its own."""

    def __init__(self, key: str, url: str) -> None:
        self._key = key
        self._url = url
        self._session: ClientSession | None = None
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openai-calls", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def session(self) -> ClientSession:
        """The one session, made on its loop when first asked for."""
        if self._session is None:
            self._session = event_stream.session(self._key, self._url, CONNECT_SECONDS)
        return self._session

    def close(self) -> None:
        self.submit(self._finish()).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _finish(self) -> None:
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


def _probe(adapter: str | None) -> Request:
    """A call of one token."""
    turns = (Message(role="system", content="Be brief."), Message(role="user", content="Hello"))
    return Request(messages=turns, sampling=Sampling(max_tokens=1), adapter=adapter)


def _hand_over(done: queue.Queue[tuple[int, Future[Completion]]], index: int, future: Future[Completion]) -> None:
    done.put((index, future))


def _words(error: Exception) -> str:
    """An error in a line; where its words are its server's, they say enough."""
    return str(error) if isinstance(error, Refused) else f"{type(error).__name__}: {error}"


def _may_pass(error: Exception) -> bool:
    """Whether another try may succeed."""
    if isinstance(error, Refused):
        return error.status == 429 or error.status >= 500
    return event_stream.unreachable(error)
