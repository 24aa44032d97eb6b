"""A training process in which accelerate takes the CPU for an accelerator, over which it shards (FSDP).

accelerate 1.15 shards over accelerators alone, though torch's ``fully_shard`` works over gloo too. Told otherwise, it
goes the way it goes on GPUs: parameters are spread, gathered, and saved.
"""

from __future__ import annotations

import sys
from typing import Any

from accelerate.state import DistributedType, PartialState

from systems.tuning.distributed import main

original = PartialState.__init__


def named(self: PartialState, *arguments: Any, **further: Any) -> None:
    original(self, *arguments, **further)
    if self.distributed_type == DistributedType.MULTI_CPU:
        self.distributed_type = DistributedType.MULTI_XPU


def check_spread() -> None:
    """At the end of training no process may hold a whole parameter."""
    from torch.distributed.tensor import DTensor
    from transformers import Trainer

    train = Trainer.train

    def checked(self: Trainer, *arguments: Any, **further: Any) -> Any:
        result = train(self, *arguments, **further)
        assert self.model is not None
        kinds = {type(parameter) for parameter in self.model.parameters()}
        if kinds != {DTensor}:
            sys.exit(f"not sharded: {kinds}")
        return result

    Trainer.train = checked


if __name__ == "__main__":
    PartialState.__init__ = named
    check_spread()
    main()
