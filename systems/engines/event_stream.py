"""Calls to an OpenAI-compatible server whose answers are server-sent events, by aiohttp.

The client that load generators use: OpenAI's own takes several times the processor time for every token, which on
the machine of a server under load is the server's.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from systems.base import UserError

if TYPE_CHECKING:
    from aiohttp import ClientSession

KEEP_ALIVE_SECONDS = 4.0
"""How long an idle connection is kept: less than uvicorn's 5 s, or a call may meet one that is just being closed."""
GATEWAY = (502, 503, 504)
"""Statuses that stand for a server behind the one that answers, which is not there."""
LONGEST_LINE = 1 << 20
"""Bytes that an event may have."""


class Refused(Exception):
    """The server answered with a status of 400 or more."""

    def __init__(self, status: int, words: str, retry_after: str = "") -> None:
        super().__init__(f"HTTP {status}: {words}")
        self.status = status
        self.retry_after = retry_after

    @property
    def wait_seconds(self) -> float | None:
        """What it asks to wait, at most a minute."""
        try:
            return min(60.0, max(0.0, float(self.retry_after)))
        except ValueError:
            return None


def version() -> str:
    """The client's; the server's is unknown."""
    return f"client aiohttp {_aiohttp().__version__}"


def session(key: str, url: str, connect_seconds: float | None = None) -> ClientSession:
    """Connections to one server, as many as there are calls; must be made on the event loop that it serves.

    No time-out of its own but, where it is said, for connecting: whoever calls knows how long an answer may take. The
    environment's proxy is looked up here: told to trust the environment, aiohttp has two threads read it before every
    call.
    """
    aiohttp = _aiohttp()
    made: ClientSession = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=KEEP_ALIVE_SECONDS),
        headers={"Authorization": f"Bearer {key}"},
        timeout=aiohttp.ClientTimeout(total=None, connect=None, sock_connect=connect_seconds),
        read_bufsize=LONGEST_LINE,
        cookie_jar=aiohttp.DummyCookieJar(),
        proxy=_proxy(url),
    )
    return made


def _proxy(url: str) -> str | None:
    """The one that the environment names for this address."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)


async def events(calls: ClientSession, url: str, body: Mapping[str, Any]) -> AsyncGenerator[dict[str, Any]]:
    """What the server streams, event by event; the first comes when the call is accepted, and is empty.

    Raises Refused; aiohttp's ClientError for broken connections; ValueError for what is no such stream.
    """
    async with calls.post(url, json=body) as response:
        if response.status >= 400:
            words = " ".join((await response.text(errors="replace"))[:2000].split())
            raise Refused(response.status, _message(words), response.headers.get("Retry-After", ""))
        yield {}
        rest = b""
        # Read to the end, or the connection cannot serve another call. Blocks as they come: aiohttp's lines are a
        # coroutine each, the blank ones too.
        async for block in response.content.iter_any():
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if (event := _event(line)) is not None:
                    yield event
            if len(rest) > LONGEST_LINE:
                raise ValueError(f"streamed a line of more than {LONGEST_LINE} bytes")
        if (event := _event(rest)) is not None:
            yield event


def _event(line: bytes) -> dict[str, Any] | None:
    """What a line of the stream holds, if it is an event."""
    if not line.startswith(b"data:") or (data := line[5:].strip()) == b"[DONE]":
        return None
    event = json.loads(data)
    if not isinstance(event, dict):
        raise ValueError(f"streamed {data[:80]!r}, which is no event")
    if event.get("error"):
        raise ValueError(_message(json.dumps(event)))
    return event


def failures() -> tuple[type[Exception], ...]:
    """What a call can fail of: refusals, broken connections, and streams that are not what they should be."""
    return (Refused, _aiohttp().ClientError, OSError, ValueError, TypeError, AttributeError, KeyError)


def unreachable(error: Exception) -> bool:
    """Whether no server was there, or it hung up before it answered."""
    return isinstance(error, _aiohttp().ClientConnectionError)


def lost(error: Exception) -> bool:
    """Whether the way to the server failed, before the answer or within it; a gateway says so of what is behind it."""
    if isinstance(error, Refused):
        return error.status in GATEWAY
    return unreachable(error) or isinstance(error, (_aiohttp().ClientPayloadError, ConnectionError))


def _message(words: str) -> str:
    """The words of an error as the protocol wraps them, or whatever came instead."""
    try:
        told = json.loads(words)
        told = told.get("error", told)
        return str(told["message"] if isinstance(told, dict) else told)
    except (ValueError, AttributeError, KeyError):
        return words


def _aiohttp() -> Any:
    try:
        import aiohttp
    except ImportError:
        raise UserError("engine=openai: needs aiohttp; pip install aiohttp") from None
    return aiohttp
