"""vLLM in this process: one load of the weights, adapters attached per request, answers as they finish."""

from __future__ import annotations

import gc
import importlib.util
import itertools
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from systems.base import Completion, Failure, Request, Stream, UserError
from systems.engines.guard import Guard, children
from systems.engines.in_process import MULTIPROCESSING, few_processors, in_process
from systems.engines.vllm_words import completion, first_line, parameters, scored, transport
from systems.model import Adapter, Model

if TYPE_CHECKING:
    from vllm import LLM


DTYPES = ("auto", "float32", "bfloat16", "float16", "half", "float")
EXECUTORS = ("mp", "ray", "uni", "external_launcher")
LORA_RANKS = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""The paddings that vLLM knows."""


@dataclass(frozen=True, kw_only=True)
class VllmEngine:
    """Settings of ``vllm.LLM``; the engine itself starts at the first use."""

    model: Model
    name: str = "vllm"
    likelihoods: bool = field(default=True, init=False)
    dtype: str = "auto"
    quantization: str | None = None
    tensor_parallel_size: int = 1
    """GPUs that share each layer: those of one node."""
    pipeline_parallel_size: int = 1
    """Parts that the layers are divided into: one for each node."""
    distributed_executor_backend: str | None = None
    """How the processes that share a model are started: mp on one node, ray on several; ``None``: vLLM decides."""
    max_num_seqs: int = 64
    """The most requests in one batch."""
    max_num_batched_tokens: int | None = None
    gpu_memory_utilization: float = 0.9
    cpu_cache_gib: int = 1
    """Key-value cache on a machine without a GPU; vLLM's own default takes half the memory."""
    block_size: int | None = None
    """Tokens per cache block; on a CPU 32, since the default of 128 leaves short prompts uncached."""
    prefix_caching: bool = True
    enforce_eager: bool | None = None
    """No compilation; ``None``: so on a CPU, where compiling takes longer than a small model's whole run."""
    adapters: bool = True
    """Keep the machinery for adapters on. Off for latency variants of the base model."""
    max_lora_rank: int = 16
    """Adapters are padded to this rank, so more than is needed costs time: on a CPU 64 for 16 is four times slower."""
    max_loras: int = 1
    seed: int = 0

    def __post_init__(self) -> None:
        if not installed():
            raise UserError("engine=vllm: vLLM is not installed here; install it, or take engine=transformers")
        if self.dtype not in DTYPES:
            raise UserError(f"engine.dtype={self.dtype}: must be one of {', '.join(DTYPES)}")
        if not 0 < self.gpu_memory_utilization <= 1:
            raise UserError(f"engine.gpu_memory_utilization={self.gpu_memory_utilization}: must be a share, 0 to 1")
        if self.distributed_executor_backend not in (None, *EXECUTORS):
            raise UserError(
                f"engine.distributed_executor_backend={self.distributed_executor_backend}: "
                f"must be null or one of {', '.join(EXECUTORS)}"
            )
        sizes = ("tensor_parallel_size", "pipeline_parallel_size", "max_num_seqs", "max_loras", "max_lora_rank")
        for key in (*sizes, "cpu_cache_gib"):
            if getattr(self, key) < 1:
                raise UserError(f"engine.{key}={getattr(self, key)}: must be 1 or more")
        if self.max_lora_rank > LORA_RANKS[-1]:
            raise UserError(f"engine.max_lora_rank={self.max_lora_rank}: vLLM serves adapters up to {LORA_RANKS[-1]}")

    @property
    def version(self) -> str:
        """The installed vLLM."""
        from vllm import __version__

        return str(__version__)

    @property
    def ran_on(self) -> str:
        """``gpu`` or ``cpu``."""
        import torch

        return "gpu" if torch.cuda.is_available() else "cpu"

    @property
    def in_process(self) -> bool:
        """Whether batches are computed in this process (see ``in_process.py``)."""
        said = os.environ.get(MULTIPROCESSING)
        if said is not None:
            return said == "0"
        alone = self.tensor_parallel_size == self.pipeline_parallel_size == 1
        return alone and self.distributed_executor_backend is None and self.ran_on == "cpu" and few_processors()

    @property
    def loads(self) -> int:
        """How often the weights were loaded."""
        return int(self.__dict__.get("_loads", 0))

    def expect(self, adapters: Iterable[str]) -> None:
        """Name the adapters that will be attached, before the engine starts: no other layers than theirs are wrapped.

        Left to itself, vLLM also wraps the output layer, which takes a tenth of a small model's time of every request.
        """
        found = [Adapter(path=path).modules for path in dict.fromkeys(adapters)]
        named = [modules for modules in found if modules is not None]
        self.__dict__["_wrapped"] = frozenset().union(*named) if named and len(named) == len(found) else None

    def start(self) -> None:
        """Start the engine now rather than at the first request."""
        self.llm  # noqa: B018

    @cached_property
    def llm(self) -> LLM:
        """The running engine. This is the one load of the weights."""
        from vllm import LLM

        with in_process() if self.in_process else nullcontext():
            return self._started(lambda: LLM(**self._settings()))

    def _started(self, start: Callable[[], Any]) -> Any:
        """An engine of vLLM's, its processes under guard. Every start is a load of the weights."""
        self.__dict__["_loads"] = self.loads + 1
        try:
            with children() as processes:
                made = start()
        except Exception as error:
            raise Failure(f"engine=vllm: did not start: {first_line(error)}") from error
        if processes:
            self.__dict__["_guard"] = Guard.over(processes)
        return made

    def _settings(self) -> dict[str, Any]:
        """Arguments of vLLM's engines, the waiting and the streaming one alike."""
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(self.cpu_cache_gib))
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        import torch

        gpu = torch.cuda.is_available()
        # vLLM's signature names the values it knows; ours come from a config, and it refuses what it does not know.
        settings: dict[str, Any] = {"dtype": self.dtype, "quantization": self.quantization}
        if self.block_size or not gpu:
            settings["block_size"] = self.block_size or 32
        if self.max_num_batched_tokens:
            settings["max_num_batched_tokens"] = self.max_num_batched_tokens
        if self.adapters:
            # One slot more than is used: on a CPU, vLLM 0.32 serves a request without an adapter from the last slot
            # when adapters are in the same batch, so that one has to stay empty (tests/real/test_vllm.py).
            rank = next(known for known in LORA_RANKS if known >= self.max_lora_rank)
            settings |= {"enable_lora": True, "max_lora_rank": rank, "max_loras": self.max_loras + 1}
            if wrapped := self.__dict__.get("_wrapped"):
                settings["lora_target_modules"] = sorted(wrapped)
        return settings | {
            "model": self.model.path,
            "revision": self.model.revision,
            "trust_remote_code": self.model.trust_remote_code,
            "load_format": "safetensors",
            "tensor_parallel_size": self.tensor_parallel_size,
            "pipeline_parallel_size": self.pipeline_parallel_size,
            "distributed_executor_backend": self.distributed_executor_backend,
            "max_model_len": self.model.context,
            "max_num_seqs": self.max_num_seqs,
            "gpu_memory_utilization": self.gpu_memory_utilization,
            "enable_prefix_caching": self.prefix_caching,
            "enforce_eager": not gpu if self.enforce_eager is None else self.enforce_eager,
            "disable_log_stats": False,
            "logits_processors": ["systems.engines.forcing:Forced"],
            "seed": self.seed,
        }

    def _adapter(self, path: str) -> Any:
        from vllm.lora.request import LoRARequest

        adapter = Adapter(path=path)
        adapter.check(self.model)
        wrapped = self.__dict__.get("_wrapped")
        if wrapped and not (adapter.modules and adapter.modules <= wrapped):  # vLLM would leave the others out
            raise Failure(f"adapter {path}: changes layers that the engine was not told of before it started")
        # vLLM tells adapters apart by this number, so it has to follow from the weights too.
        return LoRARequest(adapter.name, int(adapter.name[:7], 16) + 1, path)

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        engine = self.llm.llm_engine
        source = enumerate(requests)
        room = in_flight or 4 * self.max_num_seqs
        waiting: dict[str, tuple[int, Request]] = {}
        adapters: dict[str, Any] = {}
        more = True
        try:
            while True:
                while more and len(waiting) < room:
                    index, request = next(source, (-1, None))
                    if request is None:
                        more = False
                        break
                    if request.adapter and request.adapter not in adapters:
                        adapters[request.adapter] = self._adapter(request.adapter)
                    key = f"{id(source)}-{index}"
                    engine.add_request(
                        key,
                        {"prompt_token_ids": self.model.tokens(request)},
                        parameters(request),
                        lora_request=adapters[request.adapter] if request.adapter else None,
                    )
                    waiting[key] = index, request
                if not waiting:
                    return
                for output in engine.step():
                    if output.finished:
                        index, request = waiting.pop(output.request_id)
                        yield index, (scored(output, request) if request.continuation else completion(output))
        finally:
            if waiting:  # the caller stopped early: leave no work behind
                with suppress(Exception):  # an interrupt may have come while the engine kept its books
                    engine.abort_request(list(waiting))

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Stream]:
        """vLLM's ``AsyncLLM``, another load of the weights: the one that ``generate`` uses is closed before."""
        from vllm import AsyncEngineArgs
        from vllm.v1.engine.async_llm import AsyncLLM

        self.close()
        engine = self._started(lambda: AsyncLLM.from_engine_args(AsyncEngineArgs(**self._settings())))
        try:
            yield _VllmStream(self, engine)
        finally:
            engine.shutdown()
            self._release()

    def reset_prefix_cache(self) -> bool:
        """Forget all cached prefixes, so that the next system starts cold."""
        return self.llm.reset_prefix_cache() is not False  # older versions return nothing

    def close(self) -> None:
        """Stop the engine's processes, if they were started."""
        if "llm" in self.__dict__:
            self.llm.llm_engine.engine_core.shutdown()
            del self.__dict__["llm"]
            gc.collect()  # of weights and cache that were in this process: a next engine needs their place
        self._release()

    def _release(self) -> None:
        if "_guard" in self.__dict__:
            self.__dict__.pop("_guard").release()


@dataclass(frozen=True)
class _VllmStream:
    settings: VllmEngine
    engine: Any
    adapters: dict[str, Any] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=itertools.count)

    async def complete(self, request: Request) -> Completion:
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        if request.adapter and request.adapter not in self.adapters:
            self.adapters[request.adapter] = self.settings._adapter(request.adapter)
        submitted = time.perf_counter()
        pieces: list[float] = []
        parts: list[str] = []
        tokens: list[int] = []
        output: Any = None
        try:
            async for output in self.engine.generate(
                {"prompt_token_ids": self.settings.model.tokens(request)},
                parameters(request, whole=False),
                f"load-{next(self.numbers)}",
                lora_request=self.adapters[request.adapter] if request.adapter else None,
            ):
                came = output.outputs[0]
                if came.token_ids:
                    pieces.append(time.perf_counter() - submitted)
                    parts.append(came.text)
                    tokens.extend(came.token_ids)
        except (EngineDeadError, EngineGenerateError, ValueError) as error:  # each failed call is an outcome
            words = f"{type(error).__name__}: {first_line(error)}"[:240]
            return Completion(text="", tokens_in=0, tokens_out=0, finish_reason="error", error=words)
        received = time.perf_counter()
        ways = transport(output, submitted, received)
        if request.continuation:
            found = scored(output, request)
            return replace(found, timings={**found.timings, **ways})
        found = completion(output)
        return replace(
            found,
            text="".join(parts),
            token_ids=tuple(tokens),
            tokens_out=len(tokens),
            timings={**found.timings, **ways, "ttft": pieces[0]} if found.timings else {},
            pieces=tuple(pieces),
        )

    async def reset_prefix_cache(self) -> bool:
        return await self.engine.reset_prefix_cache() is not False


def installed() -> bool:
    """Whether vLLM can be imported here."""
    return importlib.util.find_spec("vllm") is not None
