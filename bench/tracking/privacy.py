"""What may leave this machine: no path of it, no host, no login, no secret of its environment.

Everything that goes to W&B passes ``cleared``; the texts of samples, where they leave at all, ``without_secrets``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SECRET = re.compile(
    r"(?:(?<=_)KEY|APIKEY|(?:^|_)(?:TOKEN|SECRET|PASS|PASSWORD|PASSWD|CREDENTIALS?|AUTH))(?:_|$)", re.IGNORECASE
)
"""The name of an environment variable or of a setting that holds a secret; a bare ``key`` names a build."""
HOST = re.compile(r"(?:^|_)(?:HOSTS?|HOSTNAME|NODE|NODELIST|SERVER|ADDRESS|ENDPOINT|URL)(?:_|$)", re.IGNORECASE)
"""The name of one that holds the name of a host."""
SHORTEST = 8
"""Values of fewer characters are no secrets: they would be found inside of ordinary words."""
HIDDEN = "(hidden)"
PART = r"[^\s/'\",;<>]+"
PLACES = re.compile(
    rf"""
    (?P<scheme>[A-Za-z][\w+.-]*)://(?P<rest>[^\s'",;<>]*)               # an address: http://host:8000/v1
    | [\w.@-]+:(?:~[\w.-]*)?(?:/+{PART})+/?                             # host:/path, file:/path, parts of a PATH
    | (?<![\w/.+~])(?:~[\w.-]*|\.\.)(?:/+{PART})+/?                     # ~/path, ../path
    | (?<![\w/.+~])(?:/+{PART}){{2,}}/?                                 # /path/of/this/machine
    | (?<![\w.@-])(?:localhost|(?:[\w-]+\.)+[\w-]+):\d{{2,5}}(?![\w:-]|\.\w)  # host.name:80
    | (?<![\w.@-])[A-Za-z][\w-]*:\d{{4,5}}(?![\w:-]|\.\w)                # host:8000
    | [\w.+-]+@[A-Za-z][\w-]*(?:(?:\.[\w-]+)+(?::{PART})?|:{PART})         # name@host.name, name@host:place
    """,
    re.VERBOSE,
)


def cleared(value: Any) -> Any:
    """The same value, fit to leave, keys of mappings too: of a path its last part is left, of an address its scheme
    and the last part of its path, of a host nothing."""
    hidden, homes = _secrets(), _homes()

    def change(text: str) -> str:
        return homes.sub("~", _without_places(hidden.sub(HIDDEN, text)))

    return _mapped(_mapped(value, change, SECRET, bool), str, HOST, lambda text: "://" not in text)


def without_secrets(value: Any) -> Any:
    """The same value without what the environment holds under a secret's name, wherever in a text it stands, without
    settings of such a name, and without homes and this machine's name."""
    hidden, homes = _secrets(), _homes()
    return _mapped(value, lambda text: homes.sub("~", hidden.sub(HIDDEN, text)), SECRET, bool)


def _secrets() -> re.Pattern[str]:
    """What is hidden wherever it stands: secrets of the environment, and the names of this machine."""
    found = {said for name, said in os.environ.items() if SECRET.search(name) and len(said) >= SHORTEST}
    secrets = [re.escape(secret) for secret in sorted(found, key=len, reverse=True)]
    return re.compile(
        "|".join([*secrets, *(rf"(?<![\w-]){re.escape(name)}(?:\.[\w-]+)*(?![\w-])" for name in _names())]) or "(?!)"
    )


def _homes() -> re.Pattern[str]:
    """Home directories, the user's own among them."""
    home = re.escape(str(Path.home()).rstrip("/")) or "/root"
    return re.compile(rf"(?<![\w.])(?:(?:/root|{home})(?![\w-])|/(?:home|Users)/{PART})")


def _mapped(value: Any, change: Callable[[str], str], name: re.Pattern[str], hidden: Callable[[str], bool]) -> Any:
    """Every text changed; one under such a ``name`` is hidden whole, if it is to be."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        found = {}
        for key, inner in value.items():
            whole = isinstance(inner, str) and inner and name.search(str(key)) and hidden(inner)
            shown = change(key) if isinstance(key, str) else key
            found[shown] = HIDDEN if whole else _mapped(inner, change, name, hidden)
        return found
    if isinstance(value, list | tuple):
        return [_mapped(inner, change, name, hidden) for inner in value]
    return value


def _without_places(text: str) -> str:
    if text.startswith(("/", "~/")) and "\n" not in text and "://" not in text:  # a path may hold spaces
        return Path(text).name or text
    return PLACES.sub(_left, text)


def _left(found: re.Match[str]) -> str:
    """What is left of a place."""
    if scheme := found["scheme"]:
        path = found["rest"].partition("?")[0].partition("/")[2]
        return f"{scheme}://{HIDDEN}" + (f"/{Path(path).name}" if path else "")
    return Path(found[0]).name if "/" in found[0] else HIDDEN


def _names() -> set[str]:
    """This machine's, long and short; shorter than four letters they would be found among ordinary words."""
    said = {os.uname().nodename, *(os.environ.get(name, "") for name in ("HOSTNAME", "HOST", "SLURMD_NODENAME"))}
    names = said | {name.partition(".")[0] for name in said}
    return {name for name in names if len(name) >= 4 and name != "localhost"}
