"""A training process that refuses its settings, before it has loaded anything."""

from __future__ import annotations

import json
from typing import Any

from systems.base import UserError
from systems.tuning import distributed


def refuse(model: Any, examples: Any, tuning: Any, *_: Any) -> None:
    raise UserError(f"tuning.targets={json.dumps(tuning.targets)}: there are none of that name")


if __name__ == "__main__":
    distributed.train_adapter = refuse  # type: ignore[assignment]
    distributed.main()
