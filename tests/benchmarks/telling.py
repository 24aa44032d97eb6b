"""A server of known delays behind ``/v1/chat/completions`` that tells how long each answer took it.

It runs in a process of its own. Every word of an answer is the seconds from when its request came until that word was
sent, by the server's own clock: the first is the time to the first token, the last the whole answer's.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from systems.base import Completion, Request, Stream

FIRST = 0.03
"""Seconds until the first token."""
BETWEEN = 0.005
"""Seconds between tokens."""
TOKENS = 16


async def chat(request: web.Request) -> web.StreamResponse:
    """One answer, a token at a time."""
    came = time.perf_counter()
    prompt = len(await request.read())
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    usage = {"prompt_tokens": prompt, "completion_tokens": TOKENS, "total_tokens": prompt + TOKENS}
    end = event({}, finish="stop") + event(usage=usage) + b"data: [DONE]\n\n"
    for number in range(TOKENS):
        await asyncio.sleep(came + FIRST + number * BETWEEN - time.perf_counter())
        word = event({"content": f"{time.perf_counter() - came:.6f} "})
        await (response.write(word) if number < TOKENS - 1 else response.write_eof(word + end))
    return response


def event(delta: dict[str, str] | None = None, finish: str | None = None, **more: Any) -> bytes:
    """As vLLM's server writes them."""
    choices = [] if delta is None else [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]
    told = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 0, "model": "stub", "choices": choices}
    return f"data: {json.dumps(told | more)}\n\n".encode()


@contextmanager
def serving() -> Iterator[str]:
    """The server's address for as long as the context lasts."""
    with subprocess.Popen([sys.executable, "-m", __name__], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@dataclass(frozen=True)
class Told:
    """A stream whose completions carry what the server says of its own part."""

    inner: Stream

    async def complete(self, request: Request) -> Completion:
        completion = await self.inner.complete(request)
        moments = [float(word) for word in completion.text.split()]
        assert len(moments) == TOKENS, completion.error
        told = {"server ttft": moments[0], "server e2e": moments[-1]}
        return replace(completion, timings={**completion.timings, **told})

    async def reset_prefix_cache(self) -> bool:
        return True


async def main() -> None:
    app = web.Application()
    app.router.add_post("/v1/chat/completions", chat)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0, backlog=1024)
    await site.start()
    print(f"http://127.0.0.1:{runner.addresses[0][1]}/v1", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
