"""A base model: its chat template, its context, its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from systems.base import Message, UserError
from systems.model import Model, check_device
from tests.tiny import tokenizer, write_model

TURNS = (Message(role="system", content="Be brief."), Message(role="user", content="How long?"))


def with_template(directory: Path, template: str | None) -> Model:
    model = write_model(directory)
    model.tokenizer.chat_template = template
    return model


def test_a_template_without_a_system_turn_opens_the_first_user_turn_with_it(tmp_path: Path) -> None:
    refusing = (
        "{% for m in messages %}{% if m.role == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
        "<{{ m.role }}>{{ m.content }}{% endfor %}"
    )
    model = with_template(tmp_path / "model", refusing)
    plain = with_template(tmp_path / "plain", "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}")
    merged = Message(role="user", content="Be brief.\n\nHow long?")
    assert model.encode(TURNS) == plain.encode((merged,))
    assert model.encode(TURNS[1:]) == plain.encode(TURNS[1:])
    assert plain.encode(TURNS) != plain.encode((merged,))


def test_a_base_model_without_a_template_is_the_users_to_change(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="has no chat template"):
        with_template(tmp_path, None).encode(TURNS)


def test_a_template_that_refuses_says_so_in_one_line(tmp_path: Path) -> None:
    model = with_template(tmp_path, "{{ raise_exception('no') }}")
    with pytest.raises(UserError, match="its chat template refuses the conversation: no"):
        model.encode(TURNS)


def test_more_context_than_the_checkpoint_has_is_refused(tmp_path: Path) -> None:
    model = write_model(tmp_path, context_tokens=100_000)
    with pytest.raises(UserError, match=r"model\.context_tokens=100000: tiny has 16384 positions"):
        _ = model.context
    assert write_model(tmp_path).context == 16384


def test_the_tokenizer_is_part_of_the_name(tmp_path: Path) -> None:
    before = write_model(tmp_path).identity
    (tmp_path / "merges.txt").write_text("a b")
    assert write_model(tmp_path).identity != before
    assert tokenizer() is not None


@pytest.mark.parametrize("device", ["cdua", "cuda:x", "gpu"])
def test_a_device_that_is_no_word_of_ours(device: str) -> None:
    with pytest.raises(UserError, match=f"engine.device={device}: must be auto, cpu or cuda"):
        check_device(device, "engine.device")
