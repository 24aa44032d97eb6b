"""The portable reference: transformers' own ``generate``, in batches, adapters through PEFT."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from systems.base import Completion, Likelihood, Request, Sampling, Stream, UserError
from systems.engines.in_turn import InTurn
from systems.engines.stopping import before_stop
from systems.model import Adapter, Model, check_device


@dataclass(frozen=True, kw_only=True)
class TransformersEngine:
    """Greedy or sampled decoding in left-padded batches of equal settings."""

    model: Model
    name: str = "transformers"
    likelihoods: bool = field(default=True, init=False)
    dtype: str = "auto"
    device: str = "auto"
    batch_size: int = 16
    quantization: str | None = None
    """``nf4`` loads the weights in four bits through bitsandbytes."""

    def __post_init__(self) -> None:
        if self.batch_size < 1:
            raise UserError(f"engine.batch_size={self.batch_size}: must be 1 or more")
        if self.quantization not in (None, "nf4"):
            raise UserError(f"engine.quantization={self.quantization}: the transformers engine knows nf4 or null")
        check_device(self.device, "engine.device")

    @property
    def version(self) -> str:
        """The installed transformers."""
        from transformers import __version__

        return str(__version__)

    @property
    def ran_on(self) -> str:
        """``gpu`` or ``cpu``."""
        return "gpu" if self._device.startswith("cuda") else "cpu"

    @property
    def loads(self) -> int:
        """How often the weights were loaded."""
        return int(self.__dict__.get("_loads", 0))

    def start(self) -> None:
        """Load the weights now rather than at the first request."""
        self.network  # noqa: B018

    @cached_property
    def _device(self) -> str:
        import torch

        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"

    @cached_property
    def network(self) -> Any:
        """The loaded weights."""
        from transformers import AutoModelForCausalLM, BitsAndBytesConfig, GenerationConfig

        settings: dict[str, Any] = {"dtype": self.dtype}
        if self.quantization == "nf4":
            settings["quantization_config"] = BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4")
        self.__dict__["_loads"] = self.loads + 1
        network: Any = AutoModelForCausalLM.from_pretrained(
            self.model.path,
            revision=self.model.revision,
            trust_remote_code=self.model.trust_remote_code,
            use_safetensors=True,
            **settings,
        )
        # Of the checkpoint's own way to decode only its ends count: a repetition penalty or top-k would be another
        # setting than the run's, and than vLLM's.
        own = network.generation_config
        network.generation_config = GenerationConfig(eos_token_id=own.eos_token_id, bos_token_id=own.bos_token_id)
        return network.to(self._device).eval()

    @cached_property
    def _with_adapters(self) -> dict[str, str]:
        """Directory → name of every adapter loaded so far."""
        return {}

    def _attach(self, path: str | None) -> Any:
        """The network with this adapter on, or with none."""
        from peft import PeftModel

        network: Any = self.network
        if path is None:
            if hasattr(network, "peft_config"):
                network.base_model.disable_adapter_layers()
            return network
        if path not in self._with_adapters:
            adapter = Adapter(path=path)
            adapter.check(self.model)
            if hasattr(network, "peft_config"):
                network.load_adapter(path, adapter_name=adapter.name)
            else:
                network = PeftModel.from_pretrained(network, path, adapter_name=adapter.name)
                network.eval()
                self.__dict__["network"] = network
            self._with_adapters[path] = adapter.name
        network.base_model.enable_adapter_layers()
        network.set_adapter(self._with_adapters[path])
        return network

    def generate(self, requests: Iterable[Request], in_flight: int | None = None) -> Iterator[tuple[int, Completion]]:
        size = min(self.batch_size, in_flight or self.batch_size)
        batch: list[tuple[int, Request]] = []
        for index, request in enumerate(requests):
            if request.schema is not None:
                raise UserError("engine=transformers: constrained decoding needs engine=vllm or engine=openai")
            if batch and _kind(request) != _kind(batch[0][1]):
                yield from self._run(batch)
                batch = []
            batch.append((index, request))
            if len(batch) == size:
                yield from self._run(batch)
                batch = []
        if batch:
            yield from self._run(batch)

    @asynccontextmanager
    async def streaming(self) -> AsyncIterator[Stream]:
        """One request at a time: this engine has no batch that others could join."""
        self.start()
        yield InTurn(self.generate)

    def _run(self, batch: list[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        import torch

        network = self._attach(batch[0][1].adapter)
        if batch[0][1].continuation:
            yield from self._score(network, batch)
            return
        sampling, stop = batch[0][1].sampling, batch[0][1].stop
        prompts = [self.model.tokens(request) for _, request in batch]
        width = max(map(len, prompts))
        pad = self.model.tokenizer.pad_token_id or 0
        ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts], device=self._device)
        mask = torch.tensor(
            [[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts], device=self._device
        )
        choice: dict[str, Any] = {"do_sample": False}
        if sampling.temperature > 0:
            torch.manual_seed(sampling.seed)
            choice = {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": 0}
        if stop:
            choice |= {"stop_strings": list(stop), "tokenizer": self.model.tokenizer}
        started = time.perf_counter()
        with torch.inference_mode():
            output = network.generate(
                input_ids=ids, attention_mask=mask, max_new_tokens=sampling.max_tokens, pad_token_id=pad, **choice
            )
        seconds = time.perf_counter() - started
        ends = network.generation_config.eos_token_id
        ends = set(ends) if isinstance(ends, list) else {ends}
        for (index, _), prompt, row in zip(batch, prompts, output[:, width:].tolist(), strict=True):
            ended = next((place for place, token in enumerate(row) if token in ends), None)
            tokens = row if ended is None else row[: ended + 1]
            text = str(self.model.tokenizer.decode(row if ended is None else row[:ended], skip_special_tokens=True))
            cut = before_stop(text, stop)
            yield (
                index,
                Completion(
                    text=cut,
                    token_ids=tuple(tokens),
                    tokens_in=len(prompt),
                    tokens_out=len(tokens),
                    finish_reason="length" if ended is None and cut == text else "stop",
                    timings={"batch": seconds},
                ),
            )

    def _score(self, network: Any, batch: list[tuple[int, Request]]) -> Iterator[tuple[int, Completion]]:
        """Log-likelihoods of the continuations, in one pass over right-padded rows."""
        import torch

        rows = [[*request.token_ids, *request.continuation] for _, request in batch]
        width = max(map(len, rows))
        ids = torch.tensor([row + [0] * (width - len(row)) for row in rows], device=self._device)
        mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows], device=self._device)
        with torch.inference_mode():
            logits = network(input_ids=ids, attention_mask=mask).logits
        for (index, request), row, found in zip(batch, rows, logits, strict=True):
            size = len(request.continuation)
            # What stands at a place foretells the next token.
            own = found[len(row) - size - 1 : len(row) - 1].float().log_softmax(-1)
            wanted = torch.tensor(request.continuation, device=self._device)
            likelihood = Likelihood(
                log_likelihood=float(own.gather(1, wanted[:, None]).sum()),
                greedy=bool((own.argmax(-1) == wanted).all()),
            )
            yield (
                index,
                Completion(text="", tokens_in=len(row), tokens_out=0, finish_reason="stop", likelihood=likelihood),
            )

    def reset_prefix_cache(self) -> bool:
        """Nothing is kept between calls, so every prompt is cold."""
        return True

    def close(self) -> None:
        """Give the weights back."""
        self.__dict__.pop("network", None)
        self.__dict__.pop("_with_adapters", None)


def _kind(request: Request) -> tuple[str | None, Sampling, tuple[str, ...], bool]:
    """Requests of one kind can share a batch."""
    return request.adapter, request.sampling, request.stop, bool(request.continuation)
