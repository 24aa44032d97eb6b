"""What a document's metadata may say, checked before anything is indexed by it."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from systems.base import UserError


def checked_metadata(metadata: Mapping[str, Any], where: str) -> dict[str, Any]:
    """The metadata in plain JSON values: ``type`` text, ``version`` int, ``date`` ISO, ``roles`` list of text.

    Other keys pass. Roles are never guessed: a value that cannot be read is refused, since reading it as
    "everyone" would open a closed document.
    """
    data = {str(key): _plain(value, f"{where}: {key}") for key, value in metadata.items()}
    if "role" in data:
        raise UserError(f"{where}: role is not a known key; write roles: [name, ...]")
    if "type" in data and not isinstance(data["type"], str):
        raise UserError(f"{where}: type={data['type']!r} must be text")
    if "version" in data and type(data["version"]) is not int:
        raise UserError(f"{where}: version={data['version']!r} must be a whole number")
    if "date" in data:
        _check_date(data["date"], where)
    if "roles" in data:
        roles = [data["roles"]] if isinstance(data["roles"], str) else data["roles"]
        if not isinstance(roles, list) or not all(isinstance(role, str) and role.strip() for role in roles):
            raise UserError(f"{where}: roles={data['roles']!r} must be a list of names; [] is everyone")
        data["roles"] = roles
    return data


def _check_date(value: Any, where: str) -> None:
    try:
        datetime.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise UserError(f"{where}: date={value!r} must be an ISO date such as 2026-01-31") from None


def _plain(value: Any, where: str) -> Any:
    """YAML reads dates as objects; the index and the hashes want JSON."""
    if isinstance(value, datetime.date | datetime.datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(item, where) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, where) for item in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    raise UserError(f"{where}: {type(value).__name__} is not a JSON value")
