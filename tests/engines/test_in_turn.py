"""Engines that answer in batches, behind a stream: one at a time, also after somebody gave up."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from systems.base import Completion, Message, Request, Sampling
from systems.engines.in_turn import InTurn
from tests.crowd import Crowd

ASKED = Request(messages=(Message(role="user", content="q"),), sampling=Sampling())


def test_who_gives_up_leaves_the_turn_to_the_work_that_goes_on() -> None:
    crowd = Crowd()

    def generate(requests: Sequence[Request]) -> Iterator[tuple[int, Completion]]:
        crowd.visit(0.1)
        yield 0, Completion(text="x", tokens_in=1, tokens_out=1, finish_reason="stop")

    async def run() -> list[str]:
        stream = InTurn(generate)
        first = asyncio.create_task(stream.complete(ASKED))
        await asyncio.sleep(0.03)
        first.cancel()
        return [(await stream.complete(ASKED)).text for _ in range(2)]

    assert asyncio.run(run()) == ["x", "x"]
    assert crowd.most == 1
