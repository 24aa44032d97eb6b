"""IFEval (Zhou et al. 2023): prompts that ask for a form which a program can check. Apache 2.0."""

from __future__ import annotations

from bench.tasks.lines_task import RULES
from bench.tasks.public.source import DataSet, Source
from systems.base import UserError


def read(source: Source) -> DataSet:
    """``input_data.jsonl`` (``ifeval_input_data.jsonl`` on the hub) with key, prompt, instruction_id_list and kwargs.

    The prompt alone is asked, as by the authors. Some copies fill in arguments that a rule has not with ``null``.
    """
    records = []
    for where, row in source.table("ifeval_input_data", "input_data", "train"):
        names, given = row["instruction_id_list"], row["kwargs"]
        if len(names) != len(given):
            raise UserError(f"{where}: {len(names)} instruction ids, but {len(given)} kwargs")
        rules = [
            {"rule": name, **{key: value for key, value in one.items() if value is not None}}
            for name, one in zip(names, given, strict=True)
        ]
        records.append(
            {
                "id": str(row["key"]),
                "query": row["prompt"],
                "reference": None,
                "kind": "open",
                "task": "ifeval",
                "tags": {"rules": rules},
            }
        )
    return DataSet(records=records, measured=(*RULES, "accepted"))
