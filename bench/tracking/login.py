"""Whether W&B will be reached online: what the user said, else whether a key is at hand."""

from __future__ import annotations

import os
from urllib.parse import urlsplit

PUBLIC = "https://api.wandb.ai"


def server() -> str:
    """The address of the user's W&B."""
    return os.environ.get("WANDB_BASE_URL") or PUBLIC


def logged_in() -> bool:
    """Whether a key is at hand, in the environment or in the netrc file."""
    if os.environ.get("WANDB_API_KEY"):
        return True
    import netrc

    try:
        return netrc.netrc(os.environ.get("NETRC")).authenticators(urlsplit(server()).hostname or "") is not None
    except (OSError, netrc.NetrcParseError):
        return False


def mode() -> str:
    """``$WANDB_MODE`` where it is set; else online if a key is at hand."""
    said = os.environ.get("WANDB_MODE", "")
    if said in ("online", "offline", "disabled"):
        return said
    return "online" if logged_in() else "offline"
