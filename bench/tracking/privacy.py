"""What may leave this machine: no path of it, no login, no secret of its environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LOCAL = re.compile(r"(?<![\w:/.~])(?:file:/*|~)?(?:/[^\s/'\",;]+){2,}/?")
"""A path of this machine inside a text."""
LOGIN = re.compile(r"(?<=://)[^/@\s]+@")
"""User name and password inside an address."""
SECRET = re.compile(r"(?:^|_)(?:KEY|TOKEN|SECRET|PASS|PASSWORD|PASSWD|CREDENTIALS?|AUTH)(?:_|$)", re.IGNORECASE)
"""The name of an environment variable or of a setting that holds a secret."""
SHORTEST = 8
"""Values of fewer characters are no secrets: they would be found inside of ordinary words."""
HIDDEN = "(hidden)"


def without_paths(value: Any) -> Any:
    """The same value without this machine's paths (their last part stays) and without logins in addresses."""
    if isinstance(value, str):
        return LOCAL.sub(lambda match: Path(match.group(0)).name, LOGIN.sub("", value))
    if isinstance(value, Mapping):
        return {key: without_paths(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [without_paths(inner) for inner in value]
    return value


def without_secrets(value: Any) -> Any:
    """The same value without what the environment holds under a secret's name, wherever in a text it stands, without
    settings of such a name, and without the user's home."""
    secrets = sorted(
        {said for name, said in os.environ.items() if SECRET.search(name) and len(said) >= SHORTEST}, key=len
    )
    return _hide(value, [*reversed(secrets)], str(Path.home()))


def _hide(value: Any, secrets: list[str], home: str) -> Any:
    if isinstance(value, str):
        for secret in secrets:
            value = value.replace(secret, HIDDEN)
        return value.replace(home + "/", "~/") if len(home) > 1 else value
    if isinstance(value, Mapping):
        return {
            key: HIDDEN if isinstance(inner, str) and inner and SECRET.search(str(key)) else _hide(inner, secrets, home)
            for key, inner in value.items()
        }
    if isinstance(value, list | tuple):
        return [_hide(inner, secrets, home) for inner in value]
    return value


def cleared(value: Any) -> Any:
    """The same value, fit to leave: what is not the text of a sample."""
    return without_paths(without_secrets(value))
