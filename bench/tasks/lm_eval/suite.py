"""``suite=lm_eval suite.tasks=[...]``: tasks of lm-eval as a suite, over a corpus of one's own if there is one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.tasks.base import Suite
from bench.tasks.lm_eval.loading import load
from bench.tasks.lm_eval.task import LmEvalTask
from systems.base import UserError


def lm_eval_suite(
    tasks: Sequence[str] | str,
    include_path: str | None = None,
    corpus: str | None = None,
    unsafe_code: bool = False,
    **settings: Any,
) -> Suite:
    """``settings`` are those of every task (``LmEvalTask``)."""
    from lm_eval import __version__

    from systems.knowledge.reading import read_corpus

    names = [tasks] if isinstance(tasks, str) else list(tasks)
    documents = tuple(read_corpus(corpus)) if corpus else ()
    found = [LmEvalTask(task=one, **settings) for one in load(names, include_path, unsafe_code).values()]
    data = {"lm_eval": __version__, "documents": str(len(documents))}
    for task in found:
        config = task.task.config
        source = [config.dataset_path, config.dataset_name, (config.dataset_kwargs or {}).get("revision")]
        data[task.name] = " ".join(str(one) for one in source if one) or "local"
        if task.left_out:
            data[f"{task.name}, measures left out"] = ", ".join(task.left_out)
    return Suite(name="lm_eval", tasks=tuple(found), corpus=documents, data=data)


def lm_eval_task(task: str, include_path: str | None = None, unsafe_code: bool = False, **settings: Any) -> LmEvalTask:
    """One task for a suite of others, as ``+task@suite.tasks.arc=lm_eval suite.tasks.arc.task=arc_easy``."""
    found = list(load([task], include_path, unsafe_code).values())
    if len(found) != 1:
        raise UserError(f"task {task}: stands for {len(found)} tasks; take suite=lm_eval for groups")
    return LmEvalTask(task=found[0], **settings)
