"""A base model: where its weights are, and its tokenizer with the chat template, shared by every part."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from systems.base import Failure, Message, UserError

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
        return self.context_tokens or int(getattr(self.config, "max_position_embeddings", 2048))

    @cached_property
    def identity(self) -> str:
        """Names the weights: a hash of the files for a directory, ``id@revision`` for a hub model."""
        directory = Path(self.path)
        if not directory.is_dir():
            # The commit that the hub gave: a branch moves on, and must not find an older one's adapters.
            return f"{self.path}@{getattr(self.config, '_commit_hash', None) or self.revision or 'unpinned'}"
        digest = hashlib.sha256()
        for file in sorted(directory.iterdir()):
            if file.suffix in (".safetensors", ".json", ".jinja"):
                digest.update(file.name.encode())
                digest.update(file.read_bytes())
        return digest.hexdigest()[:16]

    def encode(self, messages: Sequence[Message]) -> list[int]:
        """The prompt's token ids by the chat template, up to where the answer starts."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self.tokenizer.apply_chat_template(
            turns, tokenize=False, add_generation_prompt=True, **(self.template_arguments or {})
        )
        return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def count(self, text: str) -> int:
        """Tokens of a piece of text on its own."""
        return len(self.tokenizer(text, add_special_tokens=False)["input_ids"])


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
