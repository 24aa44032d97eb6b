"""Any OpenAI-compatible server, streaming: several calls at once, time-outs, bounded retries with backoff."""

from __future__ import annotations

import asyncio
import os
import queue
import random
import sys
import threading
import time
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from typing import Any

from systems.base import Completion, Failure, Message, Request, Sampling, Stream, UserError
from systems.engines.stopping import before_stop
from systems.model import Adapter, Model, folded

MOST_STOPS = 4
"""Stop texts that the protocol takes; what stands behind any other is cut off here."""


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
        import openai

        return f"client {openai.__version__}"

    @property
    def _key(self) -> str:
        return os.environ.get(self.key_variable, "").strip() or "none"

    @cached_property
    def _calls(self) -> _Calls:
        """Where calls run: a thread with an event loop of its own, so that calls can be cancelled at any point."""
        return _Calls(self._client())

    @property
    def loads(self) -> int:
        """The weights are the server's."""
        return 0

    def start(self) -> None:
        """One token, so that a wrong address or name is an error before the run and not 2,000 failed samples."""
        self.serves(None)

    def serves(self, adapter: str | None) -> None:
        """Make sure that the server answers, with this adapter (a directory) or with the base model."""
        import openai

        settings = self._settings(_probe(adapter))

        async def ask() -> None:
            async with asyncio.timeout(self.timeout_seconds):
                stream = await self._calls.client.chat.completions.create(**settings)
                async with stream:
                    if not any([event.choices async for event in stream]):
                        raise ValueError("it streamed no answer")

        where = f"engine.base_url={self.base_url}"
        try:
            self._calls.submit(ask()).result()
        except (openai.APIConnectionError, TimeoutError):
            raise Failure(f"{where}: no server answers there") from None
        except openai.AuthenticationError:
            raise Failure(f"{where}: refused the key in ${self.key_variable}") from None
        except openai.NotFoundError as error:
            raise UserError(
                f"{where}: knows no model {settings['model']!r}, or the address is not the one that ends in /v1; "
                + ("load the adapter there, or say its name in engine.served_adapters" if adapter
                   else "its name there is set by engine.served_model")
            ) from error  # fmt: skip
        except (openai.BadRequestError, openai.PermissionDeniedError, openai.UnprocessableEntityError) as error:
            raise UserError(
                f"{where}: refuses a plain question: {_words(error)[:160]}; where the model knows no system turn, "
                "say engine.fold_system=true"
            ) from error
        except openai.APIStatusError:
            pass  # busy, or in trouble with this one call: the run counts such calls, each for itself
        except (openai.OpenAIError, AttributeError, ValueError, TypeError) as error:
            raise Failure(f"{where}: answers, but not as an OpenAI-compatible server: {_words(error)[:160]}") from error

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        room = min(in_flight or self.concurrency, self.concurrency)
        source = enumerate(requests)
        done: queue.Queue[tuple[int, Future[Completion]]] = queue.Queue()
        running: dict[int, Future[Completion]] = {}
        try:
            while True:
                while len(running) < room and (item := next(source, None)) is not None:
                    index, request = item
                    running[index] = self._calls.submit(self._call(request, self._calls.client))
                    running[index].add_done_callback(partial(_hand_over, done, index))
                if not running:
                    return
                index, future = done.get()
                del running[index]
                yield index, future.result()
        finally:  # the caller stopped early: leave no call behind
            for future in running.values():
                future.cancel()

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Stream]:
        """The server, each call tried once: whoever measures it wants to see what it refuses."""
        client = self._client()
        try:
            yield _OpenAIStream(replace(self, retries=0), client)
        finally:
            await client.close()

    def _client(self) -> Any:
        import openai

        # Retries and time-outs are this module's: the client's own cannot be interrupted, and retry time-outs.
        return openai.AsyncOpenAI(base_url=self.base_url, api_key=self._key, timeout=None, max_retries=0)

    async def _call(self, request: Request, client: Any) -> Completion:
        """One request, tried until it is answered or has failed for good. A failure is an outcome, not an exception."""
        settings = self._settings(request)
        started = time.perf_counter()
        for attempt in range(self.retries + 1):
            begun = False
            try:
                async with asyncio.timeout(self.timeout_seconds):
                    # Of the chat, or after a raw prompt.
                    calls = client.completions if "prompt" in settings else client.chat.completions
                    stream = await calls.create(**settings)
                    begun = True
                    return await self._read(stream, request, started)
            except TimeoutError:
                return self._failed(f"TimeoutError: no complete answer within {self.timeout_seconds:g} s")
            except _failures() as error:
                if begun or attempt == self.retries or not _may_pass(error):
                    return self._failed(_words(error))
                await asyncio.sleep(_asked_wait(error) or self._wait(attempt))
        raise AssertionError("the last try returns")

    def _wait(self, attempt: int) -> float:
        # Jitter, so that calls that were refused together do not come back together.
        return min(30.0, self.backoff_seconds * 2.0**attempt) * random.uniform(0.5, 1.0)

    def _failed(self, words: str) -> Completion:
        """Some servers repeat the key they refuse, and errors go to the journal: it is taken out."""
        line = (words.replace(self._key, "[key]") if self._key != "none" else words).strip().splitlines()[0]
        return Completion(text="", tokens_in=0, tokens_out=0, finish_reason="error", error=line[:240])

    def _settings(self, request: Request) -> dict[str, Any]:
        """The body of the call."""
        sampling = request.sampling
        served = self.served_model or self.model.name
        if request.adapter:
            name = Adapter(path=request.adapter).name
            served = self.served_adapters.get(name, name)
        turns = [{"role": str(m.role), "content": m.content} for m in request.messages]
        settings: dict[str, Any] = {
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
            settings["stop"] = list(request.stop[:MOST_STOPS])
        if request.schema is not None:
            form = {"name": "answer", "schema": dict(request.schema), "strict": True}
            settings["response_format"] = {"type": "json_schema", "json_schema": form}
        extra = dict(self.extra_body)
        if self.model.template_arguments:  # the server applies the template, so it has to know them
            extra["chat_template_kwargs"] = dict(self.model.template_arguments)
        if extra:
            settings["extra_body"] = extra
        return settings

    async def _read(self, stream: Any, request: Request, started: float) -> Completion:
        """The answer of a stream. ``ttft`` counts from the first try, as a user would."""
        pieces: list[float] = []
        parts: list[str] = []
        usage, finish = None, None
        async with stream:
            async for event in stream:
                usage = event.usage or usage
                for choice in event.choices:
                    said = choice.delta.content if hasattr(choice, "delta") else choice.text
                    if said:
                        pieces.append(time.perf_counter() - started)
                        parts.append(said)
                    finish = choice.finish_reason or finish
        ended = time.perf_counter() - started
        text = before_stop("".join(parts), request.stop)
        if finish is None:
            raise ValueError("the stream ended before the answer was complete")
        return Completion(
            text=text,
            tokens_in=usage.prompt_tokens if usage else len(self.model.tokens(request)),
            tokens_out=usage.completion_tokens if usage else self.model.count(text),
            finish_reason=finish,
            timings={"ttft": pieces[0], "remote": pieces[0], "decode": ended - pieces[0]} if pieces else {},
            pieces=tuple(pieces),
        )

    def reset_prefix_cache(self) -> bool:
        """A server's cache is not ours to reset."""
        return False

    def close(self) -> None:
        """Close the connections and end their thread."""
        if "_calls" in self.__dict__:
            self.__dict__.pop("_calls").close()


@dataclass(frozen=True)
class _OpenAIStream:
    engine: OpenAIEngine
    client: Any

    async def complete(self, request: Request) -> Completion:
        return await self.engine._call(request, self.client)

    async def reset_prefix_cache(self) -> bool:
        return False


class _Calls:
    """A client on an event loop in a thread of its own."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="openai-calls", daemon=True)
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)

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
        await self.client.close()
        await self._loop.shutdown_asyncgens()
        await self._loop.shutdown_default_executor()


def _probe(adapter: str | None) -> Request:
    """A call of one token."""
    turns = (Message(role="system", content="Be brief."), Message(role="user", content="Hello"))
    return Request(messages=turns, sampling=Sampling(max_tokens=1), adapter=adapter)


def _hand_over(done: queue.Queue[tuple[int, Future[Completion]]], index: int, future: Future[Completion]) -> None:
    done.put((index, future))


def _failures() -> tuple[type[Exception], ...]:
    """What a call can fail of: refusals, broken connections, and streams that are not what they should be.

    What breaks inside a stream may come as the transport's own error; which library that is, openai decides.
    """
    import openai

    transport = [sys.modules[name].HTTPError for name in ("httpx", "httpx2") if name in sys.modules]
    return (openai.OpenAIError, *transport, OSError, ValueError, TypeError, AttributeError)


def _words(error: Exception) -> str:
    """An error in a line; the client's ``Connection error.`` does not say which, its cause does."""
    cause = error.__cause__
    return f"{type(error).__name__}: {error}" + (f" ({type(cause).__name__} {cause})" if cause else "")


def _may_pass(error: Exception) -> bool:
    """Whether another try may succeed."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code == 429 or error.status_code >= 500
    return isinstance(error, openai.APIConnectionError)


def _asked_wait(error: Exception) -> float | None:
    """Seconds the server asks to wait, at most a minute."""
    import openai

    if not isinstance(error, openai.APIStatusError):
        return None
    try:
        return min(60.0, max(0.0, float(error.response.headers.get("retry-after", ""))))
    except ValueError:
        return None
