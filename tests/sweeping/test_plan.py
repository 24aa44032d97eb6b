"""A grid's jobs, by Hydra's own grammar; a mistake in any of them is one line and nothing begins."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.config import SITE, launcher_node
from bench.sweep import merged
from bench.sweeping.launching import launcher
from bench.sweeping.plan import expand, plan, read_sweep
from bench.sweeping.slurm import Slurm
from systems.base import UserError
from tests.calling import call


def test_a_grid_is_every_combination_the_last_axis_fastest() -> None:
    assert expand(["seed=0,1", "name=x", "retriever=bm25,dense"]) == [
        ["seed=0", "name=x", "retriever=bm25"],
        ["seed=0", "name=x", "retriever=dense"],
        ["seed=1", "name=x", "retriever=bm25"],
        ["seed=1", "name=x", "retriever=dense"],
    ]
    assert expand(["seed=range(3)"]) == [["seed=0"], ["seed=1"], ["seed=2"]]
    assert expand(["suite.tasks=[a,b]"]) == [["suite.tasks=[a,b]"]], "a list is one value"


def test_the_plan_is_written_and_read_again(place: Path) -> None:
    sweep = plan(["seed=0,1", "engine=stub", "sweep_dir=there", "hydra.launcher.partition=gpu"])
    sweep.write()
    assert read_sweep(place / "there") == sweep
    assert sweep.launcher == ("hydra.launcher.partition=gpu",)
    assert [sweep.name(job) for job in sweep.jobs] == ["0 (seed=0)", "1 (seed=1)"]
    assert len({job.config for job in sweep.jobs}) == 2
    assert [sweep.workspace(job).path for job in sweep.jobs] == [place / "there/runs/000", place / "there/runs/001"]
    assert plan(["seed=0,1", "engine=stub", "sweep_dir=there"]) == sweep, "the same command finds its own sweep"
    with pytest.raises(UserError, match=r"holds another sweep \(2 jobs\); choose another place with sweep_dir=DIR"):
        plan(["seed=0,2", "engine=stub", "sweep_dir=there"])


def test_without_a_directory_the_jobs_name_it(place: Path) -> None:
    first, again, other = (plan([f"seed={seeds}"]).path for seeds in ("0,1", "0,1", "1,2"))
    assert first == again != other
    assert first.parent == place / "results/sweeps"
    assert first.name.startswith("run-")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["seed=0,x"], "job 1 of 2 (seed=x): seed=x: must be a whole number"),
        (["retriever=bm25,bm26"], "job 1 of 2 (retriever=bm26): retriever=bm26: no such option; did you mean bm25?"),
        (["sed=0,1"], "job 0 of 2 (sed=0): sed: no such key; did you mean seed?"),
        (["seed=0,0"], "jobs 0 and 1 are the same run (seed=0)"),
        (["seed=0,1", "run_dir=x"], "run_dir=x: every job of a sweep has a directory of its own"),
        (["seed=(0,1"], "seed=(0,1"),
        (["--fresh"], "--fresh: no such flag here"),
        (["seed=0,1", "hydra/launcher=slurn"], "hydra/launcher=slurn: no such option; did you mean slurm?"),
        (["seed=0,1", "hydra/launcher=slurm", "hydra.launcher.partitoin=x"], "hydra.launcher.partitoin: no such key"),
        (
            ["seed=0,1", "hydra/launcher=slurm", "hydra.launcher.timeout_min=soon"],
            "hydra.launcher.timeout_min=soon: must be a whole number",
        ),
        (
            ["seed=0,1", "hydra/launcher=slurm", "hydra.launcher.timeout_min=1"],
            "hydra.launcher.signal_delay_s=120: must be less than the time limit",
        ),
    ],
)
def test_a_mistake_is_one_line_and_nothing_begins(arguments: list[str], message: str, place: Path) -> None:
    done = call("run", "-m", *arguments, "sweep_dir=there")
    assert message in done.last_line(2)
    assert not (place / "there").exists()


def test_a_machine_without_slurm_is_told_so(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    done = call("sweep", "submit", "seed=0,1", "sweep_dir=there")
    assert "hydra/launcher=slurm: there is no sbatch here; submit from a login node" in done.last_line(2)
    assert not (place / "there").exists()


def test_a_site_has_launchers_and_other_settings_of_its_own(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "site/hydra/launcher").mkdir(parents=True)
    (place / "site/hydra/launcher/alpha.yaml").write_text("defaults: [slurm]\npartition: gpu\nsetup: [module load x]\n")
    (place / "site/price").mkdir()
    with pytest.raises(UserError, match="hydra/launcher=alpha: no such option"):
        launcher_node(["hydra/launcher=alpha"])
    monkeypatch.setenv(SITE, str(place / "site"))
    node = launcher_node(["hydra/launcher=alpha", "hydra.launcher.account=me"])
    assert (node["partition"], node["account"], node["setup"], node["timeout_min"]) == (
        "gpu",
        "me",
        ["module load x"],
        240,
    )
    assert "alpha, local, slurm" in call("--help").out.replace("local, slurm, alpha", "alpha, local, slurm")
    monkeypatch.setenv(SITE, "nowhere")
    with pytest.raises(UserError, match="KNOWHOW_SITE=nowhere: not a directory"):
        launcher_node([])


def test_the_default_launcher_runs_jobs_here() -> None:
    assert not launcher([]).detached


def test_settings_of_a_resumed_sweep_come_on_top() -> None:
    before = ["hydra/launcher=slurm", "hydra.launcher.partition=main", "hydra.launcher.mem_gb=1"]
    node = launcher_node(merged(before, ["hydra.launcher.mem_gb=2"]))
    assert (node["partition"], node["mem_gb"]) == ("main", 2)
    assert merged(before, ["hydra/launcher=local"]) == ["hydra/launcher=local"]


def test_what_submitit_is_told() -> None:
    slurm = Slurm(partition="gpu", gpus_per_node="a100:2", mem_gb=1.5, setup=["module load x"], timeout_min=30)
    told = slurm.parameters("sweep")
    assert told["partition"] == "gpu"
    assert told["gpus_per_node"] == "a100:2"
    assert told["mem"] == "1536MB"
    assert told["time"] == 30
    assert told["additional_parameters"] == {"requeue": True}
    assert "account" not in told


def test_a_damaged_plan_is_named(place: Path) -> None:
    (place / "sweep.json").write_text(json.dumps({"jobs": 3}))
    with pytest.raises(UserError, match=r"sweep.json: cannot be read as a sweep's plan"):
        read_sweep(place)
    with pytest.raises(UserError, match=r"is no sweep's directory"):
        read_sweep(place / "nowhere")
