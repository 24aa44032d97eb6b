"""W&B: installed, logged in, and whether its server can be reached. No run needs it."""

from __future__ import annotations

from bench.checkup.base import About, Finding, State
from bench.checkup.web import ask, shown
from bench.tracking import login

NAME = "W&B"
ESSENTIAL = False


def look(about: About) -> list[Finding]:
    if "Wandb" not in str(about.part("tracker").get("_target_", "Wandb")):
        return [Finding(name=NAME, state=State.NOT_NEEDED, found="tracker=none")]
    import wandb

    mode = login.mode(str(about.part("tracker").get("mode", "auto")))
    found = [Finding(name=NAME, state=State.OK, found=f"{wandb.__version__}, runs are written {mode}")]
    if mode == "disabled":
        return [Finding(name=NAME, state=State.NOT_NEEDED, found=f"{wandb.__version__}, disabled by $WANDB_MODE")]
    if login.logged_in():
        found.append(Finding(name="W&B login", state=State.OK, found=f"a key for {shown(login.server())}"))
    else:
        fix = "wandb login (or export WANDB_API_KEY=...); nothing is lost offline: bench sync sends it"
        found.append(Finding(name="W&B login", state=State.MISSING, found="no key here", fix=fix))
    if mode == "offline":
        found.append(Finding(name="W&B server", state=State.NOT_NEEDED, found="runs are written offline"))
        return found
    place = shown(login.server())
    reply = ask(login.server(), about.settings.patience)
    if reply.status is not None and reply.status < 500:
        found.append(Finding(name="W&B server", state=State.OK, found=f"{place} answers"))
    else:
        why = reply.text if reply.status is None else f"HTTP {reply.status}"
        fix = "export WANDB_MODE=offline, and send the runs later with bench sync; or right WANDB_BASE_URL"
        found.append(Finding(name="W&B server", state=State.BROKEN, found=f"{place}: {why}", fix=fix))
    return found
