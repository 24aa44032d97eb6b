"""Asks a server one question, in bounded time."""

from __future__ import annotations

import os
import queue
import threading
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

MOST = 65536
"""Bytes of an answer that are read."""


@dataclass(frozen=True)
class Reply:
    """``status`` of HTTP, or ``None`` with the reason why there is none in ``text``."""

    status: int | None
    text: str


def ask(url: str, seconds: float, headers: Mapping[str, str] | None = None) -> Reply:
    """GET, whatever comes; name service and redirects are within the time too."""
    replies: queue.Queue[Reply] = queue.Queue()
    threading.Thread(target=lambda: replies.put(_asked(url, seconds, headers or {})), daemon=True).start()
    try:
        return replies.get(timeout=seconds)
    except queue.Empty:
        return Reply(None, f"no answer within {seconds:g} s")


def _asked(url: str, seconds: float, headers: Mapping[str, str]) -> Reply:
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https"):
            return Reply(None, "it does not begin with http:// or https://")
        name, at, place = parts.netloc.rpartition("@")
        basic = {"Authorization": f"Basic {b64encode(unquote(name).encode()).decode()}"} if at else {}
        request = urllib.request.Request(
            parts._replace(netloc=place).geturl(), headers={"User-Agent": "bench", **basic, **headers}
        )
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return Reply(answer.status, answer.read(MOST).decode("utf-8", "replace"))
    except urllib.error.HTTPError as error:
        return Reply(error.code, error.reason)
    except TimeoutError:
        return Reply(None, f"no answer within {seconds:g} s")
    except urllib.error.URLError as error:
        reason = error.reason
        return Reply(None, (reason.strerror if isinstance(reason, OSError) else None) or type(reason).__name__)
    except (OSError, ValueError) as error:
        return Reply(None, getattr(error, "strerror", None) or type(error).__name__)


def shown(url: str) -> str:
    """An address without what a person may have put into it: names, passwords, parameters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def bearer(variable: str) -> dict[str, str]:
    """The header with the key that an environment variable holds, if it does."""
    key = os.environ.get(variable, "").strip()
    return {"Authorization": f"Bearer {key}"} if key else {}
