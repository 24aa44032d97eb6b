"""lm-eval's tasks by name, group, tag, or path of a YAML file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from systems.base import Failure, UserError

if TYPE_CHECKING:
    from lm_eval.api.task import Task


def load(names: Sequence[str], include_path: str | None = None, unsafe_code: bool = False) -> dict[str, Task]:
    """Every leaf task of the names, in order.

    lm-eval's own collection, whose index takes it some ten seconds, is opened only for names that are neither files
    nor found below ``include_path``. Raises ``UserError`` for a name it does not know, and for tasks that run what a
    model wrote unless ``unsafe_code``; ``Failure`` where a task's data cannot be fetched.
    """
    try:
        import datasets
        from lm_eval.tasks import TaskManager
    except ModuleNotFoundError:
        raise UserError("suite=lm_eval: lm-eval is not installed here; pip install lm-eval") from None
    logging.getLogger("lm_eval").setLevel(logging.ERROR)
    datasets.disable_progress_bars()
    if not names:
        raise UserError("suite.tasks: has to be given, as suite.tasks=[arc_easy] or suite.tasks=[my_task.yaml]")
    if include_path is not None and not Path(include_path).is_dir():
        raise UserError(f"suite.include_path={include_path}: no such directory; give the one with your tasks' YAML")
    near = TaskManager(include_path=include_path, include_defaults=False)
    manager = near if all(_known(near, name) for name in names) else TaskManager(include_path=include_path)
    found: dict[str, Task] = {}
    for name in names:
        if not _known(manager, name):
            close = [one for one in manager.all_tasks if name.lower() in one.lower()][:4]
            hint = f"; there are {', '.join(close)}" if close else "; lm-eval ls tasks shows all"
            raise UserError(f"suite.tasks: lm-eval knows no task, group, tag or file {name!r}{hint}")
        try:
            found |= manager.load([name])["tasks"]
        except Exception as error:  # whatever a task's own code, its YAML or its data raises
            lines = str(error).strip().splitlines() or [type(error).__name__]
            words = f"lm-eval task {name}: could not be loaded: {type(error).__name__}: {lines[0][:200]}"
            offline = isinstance(error, (ConnectionError, OSError)) and not isinstance(error, FileNotFoundError)
            raise (Failure(words) if offline else UserError(words)) from error
    for name, task in found.items():
        if getattr(task, "UNSAFE_CODE", False) and not unsafe_code:
            raise UserError(f"lm-eval task {name}: runs code a model wrote; say suite.unsafe_code=true to let it")
        if getattr(task, "MULTIMODAL", False):
            raise UserError(f"lm-eval task {name}: has images or sounds, which no system here takes")
    return found


def _known(manager: object, name: str) -> bool:
    with suppress(OSError):
        if name.endswith((".yaml", ".yml")):
            return Path(name).is_file()
    return name in manager.all_tasks  # type: ignore[attr-defined]
