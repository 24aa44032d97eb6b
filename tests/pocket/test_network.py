"""The network at its start: its first layer looks back by fixed distances, the others add nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.pocket.network import hold, new_model, optimisers
from bench.pocket.settings import Recipe

torch = pytest.importorskip("torch")
RECIPE = replace(Recipe(), layers=2, vocabulary=400)


def test_every_head_of_the_first_layer_attends_to_one_distance() -> None:
    torch.manual_seed(1)
    model = new_model(RECIPE).eval()
    model.set_attn_implementation("eager")
    with torch.inference_mode():
        attention = model(torch.randint(4, 400, (4, 300)), output_attentions=True).attentions[0]
    here = torch.arange(20, 300)
    for head in range(RECIPE.heads):
        assert attention[:, head, here, here - (head + 1)].mean() > 0.8


def test_where_it_looks_can_be_held_and_let_go() -> None:
    model = new_model(RECIPE)
    learned = {id(p) for optimiser in optimisers(model, RECIPE) for g in optimiser.param_groups for p in g["params"]}
    assert learned == {id(p) for p in model.parameters()}
    hold(model, True)
    held = {name for name, p in model.named_parameters() if not p.requires_grad}
    assert held == {f"model.layers.0.self_attn.{name}_proj.weight" for name in "qk"}
    hold(model, False)
    assert all(p.requires_grad for p in model.parameters())


def test_it_begins_as_its_first_layers_attention_alone() -> None:
    torch.manual_seed(1)
    model = new_model(RECIPE).eval()
    added: list[float] = []
    for layer in model.model.layers:
        layer.mlp.register_forward_hook(lambda module, given, out: added.append(float(out.abs().max())))
    model.model.layers[1].self_attn.register_forward_hook(
        lambda module, given, out: added.append(float(out[0].abs().max()))
    )
    with torch.inference_mode():
        model(torch.randint(4, 400, (1, 30)))
    assert added == [0.0, 0.0, 0.0]
