"""The recipe on a model of a few thousand parameters: it runs, stops, goes on, and exports what transformers loads."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from bench.pocket import recipe as module
from bench.pocket.network import learning_rate
from bench.pocket.recipe import train
from bench.pocket.settings import Recipe, parse
from systems.base import UserError
from systems.model import Model
from tests.tiny import RECIPE, tokenizer

BATCH = 1024


def test_it_goes_on_from_its_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # For time alone: the tokenizer of the tests, and three held-out conversations.
    monkeypatch.setattr(module, "tokenizer_for", lambda _: tokenizer())
    whole = module.held_out
    monkeypatch.setattr(module, "held_out", lambda recipe, known, _: whole(recipe, known, 3))
    import torch
    from transformers import AutoModelForCausalLM

    first = replace(
        RECIPE,
        out=str(tmp_path / "out"),
        batch_tokens=BATCH,
        tokens=2 * BATCH,
        copying_tokens=0,
        recalling_tokens=BATCH,
        early_batch_tokens=BATCH,
        checkpoint_every=1,
    )
    weights = train(first)
    before = torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)
    assert (before["read"], before["step"]) == (2 * BATCH, 2)
    assert train(replace(first, tokens=3 * BATCH)) == weights
    with pytest.raises(UserError, match=r"checkpoint\.pt: was made by another recipe; choose another place"):
        train(replace(first, tokens=4 * BATCH, matrix_learning_rate=0.1))
    after = torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)
    assert (after["read"], after["step"]) == (3 * BATCH, 3)
    assert after["seconds"] > before["seconds"]
    name = "model.embed_tokens.weight"
    assert not torch.equal(before["model"][name], after["model"][name])
    curve = json.loads((tmp_path / "out" / "curve.json").read_text())
    assert [point["tokens"] for point in curve["curve"]] == [2 * BATCH, 3 * BATCH]
    assert curve["recipe"]["tokens"] == 3 * BATCH
    assert set(curve["curve"][0]) >= {"tokens", "seconds", "loss", "exact"}
    # What stands on disk is what was trained, in bfloat16, and loads without any code of ours.
    loaded = AutoModelForCausalLM.from_pretrained(weights)
    assert loaded.config.eos_token_id == 0
    saved = loaded.state_dict()[name].float()
    assert torch.equal(saved, after["model"][name].to(torch.bfloat16).float())
    model = Model(name="m", path=str(weights))
    assert model.count("Zorvath plan") == len(tokenizer()("Zorvath plan")["input_ids"])
    assert model.context == RECIPE.context
    assert not list((tmp_path / "out").glob("*.part"))


def test_the_learning_rate_rises_then_falls() -> None:
    recipe = replace(RECIPE, tokens=1_000_000, copying_tokens=100_000, recalling_tokens=400_000)
    values = [learning_rate(1000 * read, recipe) for read in range(1001)]
    top = values.index(max(values))
    assert values[0] < 0.01
    assert top == 80
    assert all(later <= earlier for earlier, later in zip(values[top:], values[top + 1 :], strict=False))
    assert values[-1] == pytest.approx(0.006)


def test_settings_are_read_from_the_command_line() -> None:
    assert parse(["tokens=5", "compile=false", "learning_rate=1e-3", "out=x"]) == Recipe(
        tokens=5, compile=False, learning_rate=1e-3, out="x"
    )
    with pytest.raises(UserError, match="'token=5': give key=value with one of: out, seed, tokens"):
        parse(["token=5"])
    with pytest.raises(UserError, match="'tokens=many': tokens must be a int"):
        parse(["tokens=many"])
