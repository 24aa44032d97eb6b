"""Any OpenAI-compatible server, streaming: several calls at once, time-outs, bounded retries with backoff."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from systems.base import Completion, Failure, Request
from systems.model import Adapter, Model


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
    concurrency: int = 16
    timeout_seconds: float = 60.0
    retries: int = 4
    """Further tries after a refused connection, a 429 or a 5xx, with exponential backoff and jitter."""

    @property
    def version(self) -> str:
        """The client's version; the server's is unknown."""
        import openai

        return f"client {openai.__version__}"

    @cached_property
    def _client(self) -> Any:
        import openai

        return openai.OpenAI(
            base_url=self.base_url,
            api_key=os.environ.get(self.key_variable, "none"),
            timeout=self.timeout_seconds,
            max_retries=self.retries,
        )

    def check(self) -> None:
        """One cheap call, so that a wrong address is an error before the run and not 2,000 failed samples."""
        import openai

        try:
            self._client.with_options(max_retries=0, timeout=10).models.list()
        except openai.APIConnectionError:
            raise Failure(f"engine.base_url={self.base_url}: no server answers there") from None
        except openai.AuthenticationError:
            raise Failure(f"engine.base_url={self.base_url}: refused the key in ${self.key_variable}") from None
        except openai.APIStatusError:
            pass  # a server without a model list can still answer

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        room = min(in_flight or self.concurrency, self.concurrency)
        source = enumerate(requests)
        done: queue.Queue[tuple[int, Completion]] = queue.Queue()
        stop = threading.Event()
        with ThreadPoolExecutor(room) as pool:
            running = 0
            try:
                while True:
                    while running < room and (item := next(source, None)) is not None:
                        pool.submit(self._answer, *item, done, stop)
                        running += 1
                    if running == 0:
                        return
                    finished = done.get()
                    running -= 1
                    yield finished
            finally:
                stop.set()

    def _answer(
        self, index: int, request: Request, done: queue.Queue[tuple[int, Completion]], stop: threading.Event
    ) -> None:
        done.put((index, self._call(request, stop)))

    def _call(self, request: Request, stop: threading.Event) -> Completion:
        import httpx
        import openai

        sampling = request.sampling
        settings: dict[str, Any] = {}
        if request.schema is not None:
            settings["response_format"] = {
                "type": "json_schema",
                "json_schema": {"name": "answer", "schema": dict(request.schema), "strict": True},
            }
        if sampling.stop:
            settings["stop"] = list(sampling.stop)
        served = self.served_model or self.model.name
        if request.adapter:
            name = Adapter(path=request.adapter).name
            served = self.served_adapters.get(name, name)
        started = time.perf_counter()
        first: float | None = None
        parts: list[str] = []
        usage, finish = None, "unknown"
        try:
            stream = self._client.chat.completions.create(
                model=served,
                messages=[{"role": m.role, "content": m.content} for m in request.messages],
                temperature=sampling.temperature,
                top_p=sampling.top_p,
                max_tokens=sampling.max_tokens,
                seed=sampling.seed,
                stream=True,
                stream_options={"include_usage": True},
                **settings,
            )
            with stream:
                for event in stream:
                    if stop.is_set():
                        break
                    if time.perf_counter() - started > self.timeout_seconds:
                        raise TimeoutError(f"no complete answer within {self.timeout_seconds:g} s")
                    usage = event.usage or usage
                    for choice in event.choices:
                        if choice.delta.content:
                            first = first or time.perf_counter()
                            parts.append(choice.delta.content)
                        finish = choice.finish_reason or finish
        except (openai.OpenAIError, httpx.HTTPError, TimeoutError, ValueError, KeyError, TypeError) as error:
            # A failed call is an outcome of this sample, counted like any other, and never ends the run.
            words = (str(error).strip().splitlines() or [""])[0]
            return Completion(
                text="",
                tokens_in=0,
                tokens_out=0,
                finish_reason="error",
                error=f"{type(error).__name__}: {words[:200]}",
            )
        ended = time.perf_counter()
        text = "".join(parts)
        timings = {"ttft": first - started, "decode": ended - first} if first else {}
        return Completion(
            text=text,
            tokens_in=usage.prompt_tokens if usage else len(self.model.encode(request.messages)),
            tokens_out=usage.completion_tokens if usage else self.model.count(text),
            finish_reason=finish,
            timings=timings,
        )

    def reset_prefix_cache(self) -> None:
        """A server's cache is not ours to reset."""

    def close(self) -> None:
        """Close the connections."""
        if "_client" in self.__dict__:
            self._client.close()
            del self.__dict__["_client"]
