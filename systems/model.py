"""A base model: where its weights are, and its tokenizer with the chat template, shared by every part."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from systems.base import Failure, Message, Request, UserError

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True, kw_only=True)
class Model:
    """A checkpoint by name or path. ``revision`` pins a hub model; a path is pinned by its files' hash."""

    name: str
    path: str
    """A directory, or a hub id."""
    revision: str | None = None
    context_tokens: int | None = None
    """The most tokens of prompt and answer together; ``None``: what the checkpoint declares."""
    trust_remote_code: bool = False
    template_arguments: dict[str, Any] | None = None
    """Further arguments of the chat template, e.g. ``enable_thinking: false``."""

    @cached_property
    def tokenizer(self) -> PreTrainedTokenizerBase:
        """The tokenizer, loaded once."""
        from transformers import AutoTokenizer

        try:
            return AutoTokenizer.from_pretrained(
                self.path, revision=self.revision, trust_remote_code=self.trust_remote_code
            )
        except (OSError, ValueError) as error:
            raise self._not_loaded(error) from error

    @cached_property
    def config(self) -> Any:
        """The checkpoint's own configuration."""
        from transformers import AutoConfig

        try:
            return AutoConfig.from_pretrained(
                self.path, revision=self.revision, trust_remote_code=self.trust_remote_code
            )
        except (OSError, ValueError) as error:
            raise self._not_loaded(error) from error

    def _not_loaded(self, error: Exception) -> Exception:
        first = str(error).strip().splitlines()[0]
        if "/" in self.path and not Path(self.path).is_absolute() and not Path(self.path).exists():
            return Failure(f"model.path={self.path}: not a directory here, and the hub did not give it: {first}")
        return UserError(f"model.path={self.path}: no checkpoint that transformers can read: {first}")

    @property
    def context(self) -> int:
        """The most tokens a prompt and its answer may have together."""
        declared = int(getattr(self.config, "max_position_embeddings", 0)) or None
        if self.context_tokens is not None and declared is not None and self.context_tokens > declared:
            raise UserError(f"model.context_tokens={self.context_tokens}: {self.name} has {declared} positions at most")
        return self.context_tokens or declared or 2048

    @cached_property
    def identity(self) -> str:
        """Names the weights: a hash of the files for a directory, ``id@revision`` for a hub model."""
        directory = Path(self.path)
        if not directory.is_dir():
            # The commit that the hub gave: a branch moves on, and must not find an older one's adapters.
            return f"{self.path}@{getattr(self.config, '_commit_hash', None) or self.revision or 'unpinned'}"
        digest = hashlib.sha256()
        for file in sorted(directory.iterdir()):
            if file.suffix in (".safetensors", ".json", ".jinja", ".model", ".txt"):
                digest.update(file.name.encode())
                with file.open("rb") as content:  # shards are larger than they need be in memory
                    digest.update(hashlib.file_digest(content, "sha256").digest())
        return digest.hexdigest()[:16]

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's token ids by the chat template, up to where the answer starts."""
        return list(self.tokenizer(self.render(messages), add_special_tokens=False)["input_ids"])

    def tokens(self, request: Request) -> list[int]:
        """A request's prompt: as it was encoded already, or encoded now."""
        if request.token_ids:
            return list(request.token_ids)
        return self.encode_text(request.text) if request.text else self.encode(request.messages)

    def render(self, messages: Sequence[Message]) -> str:
        """The conversation as text by the chat template; a last turn of the assistant's is left open."""
        if not self.tokenizer.chat_template:
            raise UserError(
                f"model.name={self.name}: has no chat template, so it was not taught to answer; "
                "take its instruct version"
            )
        turns = [{"role": message.role, "content": message.content} for message in messages]
        if self._folds_system:
            turns = folded(turns)
        return self._apply(turns)

    def encode_text(self, prompt: str | Sequence[Message]) -> list[int]:
        """Token ids of a benchmark's own prompt: with the tokenizer's special tokens, unless it begins with them.

        As lm-eval's transformers backend does (``HFLM.tok_encode``, 0.4.13).
        """
        text = self.text(prompt)
        begins = text.startswith(str(self.tokenizer.decode([self._prefix])))
        return list(self.tokenizer(text, **({"add_special_tokens": False} if begins else {}))["input_ids"])

    def encode_pair(self, prompt: str | Sequence[Message], continuation: str) -> tuple[list[int], list[int]]:
        """Token ids of a benchmark's own prompt and of what stands after it, cut where the prompt's own tokens end.

        Spaces at the end of the prompt go to the continuation; an empty prompt becomes the token that begins texts.
        As in lm-eval (``TemplateLM.loglikelihood``, 0.4.13).
        """
        text = self.text(prompt)
        if not text:
            rest = list(self.tokenizer(continuation, add_special_tokens=False)["input_ids"])
            return ([self._prefix], rest) if rest[:1] != [self._prefix] else (rest[:1], rest[1:])
        whole, first = self.encode_text(text + continuation), self.encode_text(text.rstrip())
        return first, whole[len(first) :]

    def text(self, prompt: str | Sequence[Message]) -> str:
        """A prompt as text: turns by the chat template."""
        return prompt if isinstance(prompt, str) else self.render(prompt)

    @property
    def _prefix(self) -> int:
        """The token that a text begins with, or stands for the end of another before it."""
        begin = self.tokenizer.bos_token_id
        return int(self.tokenizer.eos_token_id if begin is None else begin)

    def _apply(self, turns: list[dict[str, str]]) -> str:
        from jinja2 import TemplateError

        opened = turns[-1]["role"] == "assistant"
        try:
            return str(
                self.tokenizer.apply_chat_template(
                    turns,
                    tokenize=False,
                    add_generation_prompt=not opened,
                    continue_final_message=opened,
                    **(self.template_arguments or {}),
                )
            )
        except TemplateError as error:
            raise UserError(f"model.name={self.name}: its chat template refuses the conversation: {error}") from error

    @cached_property
    def _folds_system(self) -> bool:
        """Whether the template knows no system turn (Gemma's): its text then opens the first user turn."""
        from jinja2 import TemplateError

        turns = [{"role": "system", "content": "a"}, {"role": "user", "content": "b"}]
        try:
            self.tokenizer.apply_chat_template(turns, tokenize=False, **(self.template_arguments or {}))
        except TemplateError:
            return True
        return False

    def count(self, text: str) -> int:
        """Tokens of a piece of text on its own."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])


def folded(turns: list[dict[str, str]]) -> list[dict[str, str]]:
    """The conversation with the system turn's text before the first user turn's."""
    if len(turns) < 2 or turns[0]["role"] != "system":
        return turns
    first = {"role": "user", "content": f"{turns[0]['content']}\n\n{turns[1]['content']}"}
    return [first, *turns[2:]]


def check_device(device: str, key: str) -> None:
    """Refuse a device that is no word of ours, or that is not here. ``auto`` needs no look."""
    if device in ("auto", "cpu"):
        return
    if not re.fullmatch(r"cuda(:\d+)?", device):
        raise UserError(f"{key}={device}: must be auto, cpu or cuda")
    import torch

    if not torch.cuda.is_available():
        raise UserError(f"{key}={device}: no CUDA device here; use {key}=cpu or auto")


@dataclass(frozen=True, kw_only=True)
class Adapter:
    """What tuning produced: a PEFT directory. Its ``name`` is the hash of its weights."""

    path: str

    @cached_property
    def name(self) -> str:
        """First 16 hex digits of the SHA-256 of its weights: engines key their caches by it."""
        file = Path(self.path, "adapter_model.safetensors")
        if not file.exists():
            raise UserError(f"adapter {self.path}: no adapter_model.safetensors there")
        return hashlib.sha256(file.read_bytes()).hexdigest()[:16]

    @cached_property
    def config(self) -> dict[str, Any]:
        """The adapter's PEFT configuration."""
        loaded: dict[str, Any] = json.loads(Path(self.path, "adapter_config.json").read_text())
        return loaded

    @property
    def modules(self) -> frozenset[str] | None:
        """Names of the layers that it changes; ``None`` where its configuration gives a pattern, or whole layers."""
        named = self.config.get("target_modules")
        whole = self.config.get("modules_to_save")
        return frozenset(named) if isinstance(named, list) and not whole else None

    def check(self, model: Model) -> None:
        """Refuse an adapter that this model cannot carry, before an engine dies of it."""
        if self.config.get("use_dora"):
            raise UserError(
                f"adapter {self.path}: DoRA cannot be attached per request; merge it into the weights first"
            )
        record = Path(self.path, "training.json")
        if record.exists():
            base = json.loads(record.read_text()).get("base")
            if base and base != model.identity:
                raise UserError(
                    f"adapter {self.path}: was trained on base model {base}, not on {model.name} ({model.identity})"
                )
