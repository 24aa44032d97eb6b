"""Every YAML is composed and built, overrides reach what they should, and every mistake is one line."""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import get_object
from omegaconf import OmegaConf

import conf
from bench.assembly import Assembly
from bench.checking import RunSettings
from bench.config import build, compose, config_hash, resolved
from bench.costs.settings import Settings
from systems.base import UserError
from tests.calling import start

CONF = Path(conf.__file__).parent
GIVEN = {
    "model=hub": ["model.name=org/name"],
    "embedder=hub": ["embedder.name=org/name"],
    "reranker=cross_encoder": ["reranker.name=org/name"],
    "price=api": [
        *("price.per_million_in=1", "price.per_million_out=2"),
        *("price.source=contract", "price.date='2025-01-31'"),
    ],
    "index=server": ["index.url=http://localhost:6333"],
    "detector=entailment": ["detector.model=org/name"],
    "detector=hhem": ["detector.trust_remote_code=true"],
    "detector=lexical": ["detector.threshold=15"],
    "detector=judge": ["detector.model_name=name"],
    "suite=lm_eval": [f"suite.tasks=[{Path(__file__).parent / 'data' / 'lm_eval' / 'doors_choice.yaml'}]"],
    "suite=files": [f"samples={Path(__file__).parent / 'data' / 'files' / 'samples.jsonl'}"],
}
"""What a user has to say besides."""
AT_RUN_TIME = ("system", "engine")
"""Need a model, and systems an engine too, which test_run hands to them."""
CHOSEN_IN_SUITES = ("task", "metric")
"""Not groups of the root: a suite takes its tasks, a task names its metrics."""


def options() -> list[tuple[str, str]]:
    return sorted((file.parent.name, file.stem) for file in CONF.glob("*/*.yaml"))


def targets(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        for value in node.values():
            yield from targets(value)


@pytest.mark.parametrize(("group", "option"), options(), ids=["=".join(one) for one in options()])
def test_every_file_is_composed_and_built(group: str, option: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CONF.parent)  # a task may name its data from there
    if group in CHOSEN_IN_SUITES:
        file = OmegaConf.load(CONF / group / f"{option}.yaml")
        assert callable(get_object(file["_target_"]))
        return
    choice = f"+system@systems.extra={option}" if group == "system" else f"{group}={option}"
    config = compose([choice, *GIVEN.get(f"{group}={option}", [])])
    plain = resolved(config)
    for node in targets(plain):
        assert callable(get_object(node["_target_"]))
    if group in plain and group not in AT_RUN_TIME and isinstance(plain[group], dict):
        # Suites with a reader need their data: tests/tasks/test_public.py builds each from its file.
        for key in [group] if "_target_" in plain[group] and "reader" not in plain[group] else []:
            made = build(config[key])
            assert isinstance(made, functools.partial) == (group == "retriever")
    if group == "engine":
        assert build(config.engine, model=build(config.model)).name in ("vllm", "transformers", "openai", "stub")
    if group == "prompt":
        assert {build(config.prompt[cell]).name for cell in ("base", "tuned")} == (
            {"controlled"} if option == "controlled" else {"full", "short"}
        )
    if group == "suite" and "reader" not in plain["suite"]:
        suite = build(config.suite)
        assert suite.samples()
        assert {metric.partition(":")[0] for task in suite.tasks for metric in task.metrics} <= {
            file.stem for file in (CONF / "metric").glob("*.yaml")
        }


def test_every_file_opens_with_a_comment_and_every_experiment_with_its_command() -> None:
    for file in CONF.rglob("*.yaml"):
        lines = [line for line in file.read_text().splitlines() if not line.startswith("# @package")]
        assert lines[0].startswith("# "), file
        if file.parent.name == "experiment":
            assert lines[0].startswith(f"# bench run experiment={file.stem}")
            assert compose([f"experiment={file.stem}"]).name == file.stem


def test_the_root_has_the_settings_that_are_checked_and_no_others() -> None:
    root = OmegaConf.load(CONF / "run.yaml")
    assert {str(key) for key in root} - {"defaults", "hydra"} == set(RunSettings.__annotations__)


def test_the_root_of_cost_has_the_settings_and_their_defaults() -> None:
    root = OmegaConf.to_container(OmegaConf.load(CONF / "cost.yaml"))
    assert isinstance(root, dict)
    assert root.pop("_target_") == "bench.costs.settings.Settings"
    assert list(root) == list(Settings.__annotations__)
    assert build(compose([], root="cost")).utilisations == Settings().utilisations
    assert replace(Settings(**root), utilisation=Settings().utilisation) == Settings()


LADDER = ("bare", "guidance", "schema", "shots_2", "shots_4", "shots_8", "reasoning", "constrained")


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ("all", ["prompt", "rag", "finetuned", "hybrid"]),
        ("base", ["prompt", "rag"]),
        ("retrieval", ["rag", "hybrid"]),
        ("tuned", ["finetuned", "hybrid"]),
        ("degraded", ["rag", *(f"rag_{way}" for way in ("dropped", "shuffled", "irrelevant", "counterfactual"))]),
        ("context", ["rag", *(f"rag_{size}" for size in ("1", "2", "8", "100_tokens", "200_tokens"))]),
        ("prompting", [f"prompt_{step}" for step in LADDER]),
        ("retrievers", ["bm25", "dense", "fused"]),
    ],
)
def test_named_sets_of_systems(choice: str, names: list[str]) -> None:
    systems = compose([f"systems={choice}"]).systems
    assert list(systems) == [node.name for node in systems.values()] == names


def test_the_prompting_ladder_says_all_of_every_step_and_changes_nothing_else() -> None:
    systems = resolved(compose(["systems=prompting", "prompt.base.shots=3"]))["systems"]
    steps = {
        name.removeprefix("prompt_"): (
            *(node["prompt"][key] for key in ("guidance", "schema", "shots", "reasoning")),
            node["constrained"],
        )
        for name, node in systems.items()
    }
    assert steps == {
        "bare": (False, False, 0, False, False),
        "guidance": (True, False, 0, False, False),
        "schema": (True, True, 0, False, False),
        "shots_2": (True, True, 2, False, False),
        "shots_4": (True, True, 4, False, False),
        "shots_8": (True, True, 8, False, False),
        "reasoning": (True, True, 8, True, False),
        "constrained": (True, True, 8, False, True),
    }
    assert len({str(node["sampling"]) for node in systems.values()}) == 1


def test_degraded_systems_differ_from_rag_in_one_way_each_over_the_runs_own_retriever() -> None:
    systems = resolved(compose(["systems=degraded", "retriever=bm25", "passages=3", "seed=7"]))["systems"]
    usual = systems.pop("rag")
    found = {}
    for name, node in systems.items():
        worse = node["retriever"]
        assert worse["retriever"] == usual["retriever"]
        assert {**node, "name": "", "retriever": 0} == {**usual, "name": "", "retriever": 0}
        assert worse["seed"] == 7
        ways = ("drop", "counterfactual", "irrelevant", "shuffle")
        found[name] = {way: worse[way] for way in ways if worse[way]}
    assert found == {
        "rag_dropped": {"drop": 0.5},
        "rag_shuffled": {"shuffle": 3},
        "rag_irrelevant": {"irrelevant": 1.0},
        "rag_counterfactual": {"counterfactual": 1.0},
    }
    alone = compose(["systems=degraded", "systems.rag_dropped.retriever.drop=0.25"]).systems
    assert (alone.rag_dropped.retriever.drop, alone.rag_shuffled.retriever.drop) == (0.25, 0.0)


def test_the_retrievers_of_a_table_differ_in_how_they_search_alone() -> None:
    systems = resolved(compose(["systems=retrievers", "suite=beir"]))["systems"]
    assert [node["retriever"]["mode"] for node in systems.values()] == ["sparse", "dense", "fused"]
    rest = [{**n, "name": 0, "retriever": {**n["retriever"], "mode": 0}} for n in systems.values()]
    assert rest[0] == rest[1] == rest[2]


@pytest.mark.parametrize(
    ("name", "model", "cells"),
    [
        ("medmcqa", "Qwen/Qwen3-8B", 4),
        ("popqa_long_tail", "stabilityai/stablelm-2-zephyr-1_6b", 4),
        ("current_events", "mistralai/Mistral-7B-v0.1", 4),
    ],
)
def test_grids_that_need_a_hub_compose_and_all_but_weights_and_data_is_built(name: str, model: str, cells: int) -> None:
    config = compose([f"experiment={name}", "seed=2"])
    assert (config.model.name, len(config.systems), config.tuning.seed) == (model, cells, 2)
    for part in ("model", "embedder", "chunking", "tuning", "detector", "price", "load", "tracker"):
        build(config[part])
    assert len(config.embedder.revision) == 40
    assert build(config.prompt.base).name == build(config.prompt.tuned).name == "controlled"


def test_medmcqa_is_set_as_its_source_says() -> None:
    config = compose(["experiment=medmcqa"])
    assert (config.systems.rag.top_k, config.suite.limit, config.suite.train_limit) == (5, 1000, 30000)
    assert (config.tuning.rank, config.tuning.alpha, config.tuning.epochs, config.tuning.learning_rate) == (
        16,
        32,
        1,
        2e-4,
    )
    assert config.model.revision == "b968826d9c46dd6066d109eabc6255188de91218"


def test_passages_and_retriever_reach_every_retrieving_system() -> None:
    systems = compose(["passages=7", "retriever=dense", "context_budget=99"]).systems
    for name in ("rag", "hybrid"):
        assert (systems[name].top_k, systems[name].retriever.mode, systems[name].context_budget) == (7, "dense", 99)
    assert "retriever" not in systems.prompt
    assert "retriever" not in systems.finetuned


def test_a_value_of_one_system_reaches_that_one_alone() -> None:
    """Also behind a reference, where Hydra itself sets nothing."""
    overrides = [
        "systems.rag.top_k=8",
        "tuning.rank=16",
        "systems.hybrid.retriever.mode=sparse",
        "systems.hybrid.retriever.top_k=9",
    ]
    config = compose([*overrides, "systems.finetuned.adapter.rank=4", "systems.rag.prompt.shots=2", "seed=3"])
    rag, hybrid, finetuned = (config.systems[name] for name in ("rag", "hybrid", "finetuned"))
    assert (rag.top_k, hybrid.top_k) == (8, 4)
    assert (rag.retriever.mode, rag.retriever.top_k) == ("fused", 10)
    assert (hybrid.retriever.mode, hybrid.retriever.top_k, hybrid.retriever.candidates) == ("sparse", 9, 50)
    assert (finetuned.adapter.rank, hybrid.adapter.rank, finetuned.adapter.seed) == (4, config.tuning.rank, 3)
    assert (rag.prompt.shots, config.systems.prompt.prompt.shots) == (2, 8)


SEEDS = ("tuning.seed", "sampling.seed", "load.seed")


def seeds(*overrides: str) -> dict[str, int]:
    config = compose(overrides)
    return {key: OmegaConf.select(config, key) for key in (*SEEDS, "suite.world_seed")}


def test_one_seed_reaches_tuning_decoding_and_load_but_not_the_world() -> None:
    assert seeds("seed=5") == {**dict.fromkeys(SEEDS, 5), "suite.world_seed": 2026}
    config = compose(["seed=5"])
    assert {node.sampling.seed for node in config.systems.values()} == {5}
    assert {config.systems[name].adapter.seed for name in ("finetuned", "hybrid")} == {5}
    assert compose(["seed=5", "engine=vllm"]).engine.seed == 5


@pytest.mark.parametrize("alone", [*SEEDS, "suite.world_seed"])
def test_each_seed_can_be_set_alone(alone: str) -> None:
    before = seeds("seed=5")
    assert seeds("seed=5", f"{alone}=11") == {**before, alone: 11}


def test_the_hash_names_what_is_measured() -> None:
    def named(*overrides: str) -> str:
        return config_hash(resolved(compose(overrides)))

    plain = named()
    assert named("seed=0") == plain
    assert named("run_dir=here", "builds_dir=there", "tracker=none") == plain
    for change in ("seed=1", "passages=3", "systems.rag.top_k=3", "suite.count=99", "engine=stub", "price=h100"):
        assert named(change) != plain


MISTAKES = [
    ("modle=pocket", "modle: no such key; did you mean model?"),
    ("sede=1", "sede: no such key; did you mean seed?"),
    ("suite.cuont=3", "suite.cuont: no such key; did you mean suite.count?"),
    ("systems.rag.topk=3", "systems.rag.topk: no such key; did you mean systems.rag.top_k?"),
    (
        "systems.rag.retriever.topk=3",
        "systems.rag.retriever.topk: no such key; did you mean systems.rag.retriever.top_k?",
    ),
    ("systems.rag.retriever.top_k=x", "systems.rag.retriever.top_k=x: must be a whole number"),
    ("systems.ragg.top_k=3", "systems.ragg.top_k: no such key; did you mean systems.rag.top_k?"),
    ("suite=files suite.limt=3", "suite.limt: no such key; did you mean suite.limit?"),
    ("model=pockt", "model=pockt: no such option; did you mean pocket?; there are: hub, "),
    ("systems=al", "systems=al: no such option; did you mean all?; there are: all, base, context, degraded, "),
    ("experiment=pockett", "experiment=pockett: no such option; did you mean pocket?"),
    ("model=hub", "model.name: has to be given, as model.name=VALUE"),
    ("price=api", "price.date: has to be given, as price.date=VALUE"),
    ("seed=x", "seed=x: must be a whole number"),
    ("repeats=0", "repeats=0: must be 1 or more"),
    ("margin=0", "margin=0: must be above 0, the largest difference that counts as the same"),
    ("repeats=1.5", "repeats=1.5: must be a whole number"),
    ("passages=many", "passages=many: must be a whole number"),
    ("name=a/b", "name=a/b: must be a word without a slash"),
    ("corpus=3", "corpus=3: must be text or null"),
    ("split=train", "split=train: must be test or development"),
    ("counterfactuals=all", "counterfactuals=all: must be none or wrong"),
    ("retriever=degraded retriever.drop=much", "retriever.drop=much: must be a number"),
    ("suite.count=abc", "suite.count=abc: must be a whole number"),
    ("suite.count=", "suite.count=: must be a whole number"),
    ("suite.count=true", "suite.count=true: must be a whole number"),
    ("suite.parity=maybe", "suite.parity=maybe: must be true or false"),
    ("suite.tasks.facts.metrics=accuracy", "suite.tasks.facts.metrics=accuracy: must be a list"),
    ("retriever.mode=words", "retriever.mode=words: must be dense or sparse or fused"),
    ("systems.rag.top_k=many", "systems.rag.top_k=many: must be a whole number"),
    ("load.arrivals=gamma", "load.arrivals=gamma: must be a node with a _target_, as the files of a group are"),
    ("load/arrivals=bursts", "load/arrivals=bursts: no such option; there are: constant, gamma, poisson, trace"),
    ("load/arrivals=trace", "load.arrivals.path: has to be given, as load.arrivals.path=VALUE"),
    ("load.level.e2e_seconds=1", "load.level.e2e_seconds: no such key, since load.level is null"),
    ("prompt.base.shots=null", "prompt.base.shots=null: must be a whole number"),
    ("model.context_tokens=big", "model.context_tokens=big: must be a whole number or null"),
    ("+systems.rag.foo=1", "systems.rag.foo: systems.retrieving.Retrieving has no such setting; it has: name, "),
    ("systems.rag._target_=systems.no.X", "systems.rag._target_=systems.no.X: there is nothing of that name"),
    ("~suite", "suite: was taken out of the config, but nothing runs without it"),
    ("pocket", "pocket: must be key=value, as seed=1 or engine=stub"),
    ("=3", "=3: must be key=value, as seed=1 or engine=stub"),
    ("--quick", "--quick: no such flag here; settings are given as key=value"),
    ("suite.count=[1", "suite.count=[1: cannot be read; see that brackets and quotes are closed"),
]


@pytest.mark.parametrize(("typed", "said"), MISTAKES, ids=[typed for typed, _ in MISTAKES])
def test_a_mistake_is_one_line_with_the_nearest_right_name(typed: str, said: str) -> None:
    with pytest.raises(UserError) as caught:
        compose(typed.split(" "))
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        (["load.requests=0"], "load.requests=0: must be 1 or more"),
        (["tuning.method=lara"], "tuning.method=lara: must be one of lora, rslora"),
        (["prompt.base.shots=-1"], "prompt.shots=-1: must be 0 or more"),
        (["price.per_hour=-1"], "price.per_hour=-1: must be a number of 0 or more"),
        (["suite.count=0"], "task.facts.count=0: must be 1 or more"),
    ],
)
def test_a_value_out_of_range_is_refused_by_its_constructor(overrides: list[str], said: str) -> None:
    config = compose(overrides)

    def all_parts() -> None:
        for part in ("load", "tuning", "price", "suite"):
            build(config[part])
        build(config.prompt.base)

    with pytest.raises(UserError, match=said.replace(".", r"\.")):
        all_parts()


@pytest.mark.parametrize(
    ("typed", "label"),
    [
        ("load/arrivals=poisson", "Poisson"),
        ("load/arrivals=gamma load.arrivals.shape=0.25", "gamma 0.25"),
        ("load/arrivals=constant load=full", "constant"),
        ("load/arrivals=trace load.arrivals.path=PATH", "trace night"),
    ],
)
def test_arrivals_are_chosen_by_name(typed: str, label: str, tmp_path: Path) -> None:
    (tmp_path / "night.txt").write_text("0\n1\n")
    config = compose(typed.replace("PATH", str(tmp_path / "night.txt")).split(" "))
    assert build(config.load).arrivals.label == label


@pytest.mark.parametrize("typed", ["suite.cuont=3", "model=pockt", "suite.count=abc"])
def test_the_command_says_it_in_one_line(typed: str) -> None:
    done = start("run", "experiment=pocket", typed)
    assert (done.code, done.out) == (2, "")
    assert done.err.count("\n") == 1
    assert done.err.startswith(f"bench run: {typed.split('=')[0]}")


@pytest.mark.parametrize(
    ("overrides", "name", "rank"),
    [
        ([], "pocket", 8),
        (["model=hub", "model.name=org/name"], "lora", 16),
        (["experiment=pocket", "model=qwen3_8b"], "lora", 16),
        (["model=hub", "model.name=org/name", "tuning=pocket"], "pocket", 8),
        (["tuning=lora"], "lora", 16),
    ],
)
def test_the_pocket_model_brings_its_own_tuning_and_others_the_usual_one(
    overrides: list[str], name: str, rank: int
) -> None:
    config = compose(overrides)
    assert (config.tuning.name, config.tuning.rank) == (name, rank)
    assert {node.adapter.name for node in config.systems.values() if node.get("adapter")} == {name}


def test_the_engine_holds_the_largest_adapter_of_any_system() -> None:
    config = compose(["experiment=pocket", "engine=vllm", "systems.finetuned.adapter.rank=32"])
    if importlib.util.find_spec("vllm") is None:
        pytest.skip("vLLM is not installed here")
    assert Assembly(config).engine.max_lora_rank == 32  # type: ignore[attr-defined]
