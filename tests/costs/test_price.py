"""The price files, what a price refuses, and which machine it is for."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from hydra.utils import instantiate
from omegaconf import OmegaConf

import conf
from bench.costs.estimates import cost_estimates
from bench.costs.machine import Machine
from bench.costs.per_call import cost_per_call
from bench.costs.price import Price
from systems.base import UserError
from tests.costs.test_per_call import MACHINE, estimate

FILES = sorted((Path(conf.__file__).parent / "price").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_price_files(path: Path) -> None:
    config = OmegaConf.load(path)
    if path.stem == "api":
        config.update(per_million_in=1.0, per_million_out=2.0, source="a contract", date="2025-01-31")
    elif path.stem != "none":
        assert "not checked since" in path.read_text()
        assert config.source.endswith("as known to the authors")
    price = instantiate(config, _convert_="all")
    assert price.name == path.stem
    assert price.kind in ("machine", "api", "none")
    if price.kind == "machine":
        assert cost_per_call(price, 1, 1.0) == pytest.approx(price.per_hour / 3600)
        assert (price.gpu is None, price.cores is None) == ((True, False) if price.device == "cpu" else (False, True))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"per_hour": None}, "price.per_hour is missing: a price of kind machine needs it"),
        ({"kind": "api", "per_million_in": 1}, "price.per_million_out is missing: a price of kind api needs it"),
        ({"per_hour": -1}, "price.per_hour=-1: must be a number of 0 or more"),
        ({"per_hour": float("nan")}, "price.per_hour=nan: must be a number of 0 or more"),
        ({"per_hour": float("inf")}, "price.per_hour=inf: must be a number of 0 or more"),
        ({"per_hour": "cheap"}, "price.per_hour=cheap: must be a number of 0 or more"),
        ({"per_hour": True}, "price.per_hour=True: must be a number of 0 or more"),
        ({"currency": 3}, "price.currency=3: must be an ISO 4217 code such as USD"),
        ({"currency": "dollars"}, "price.currency=dollars: must be an ISO 4217 code such as USD"),
        ({"source": " "}, "price.source is missing: say in words where the price stands"),
        ({"date": "yesterday"}, "price.date='yesterday': must be an ISO date such as 2025-01-31"),
        ({"date": 20250131}, "price.date=20250131: must be an ISO date such as 2025-01-31"),
        ({"date": "2025-02-30"}, "price.date='2025-02-30': must be an ISO date such as 2025-01-31"),
        ({"kind": "gold"}, "price.kind='gold': must be machine, api or none"),
        ({"device": "tpu"}, "price.device='tpu': must be cpu, gpu or null"),
        ({"devices": 0}, "price.devices=0: must be a whole number of 1 or more, or null"),
        ({"cores": 0}, "price.cores=0: must be a whole number of 1 or more, or null"),
    ],
)
def test_a_bad_price_is_one_line(change: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError) as error:
        dataclasses.replace(MACHINE, **change)
    assert str(error.value) == said


RATE = {"throughput": estimate(2.0, 1.0, 4.0, unit="requests/s", mode="closed loop")}


def test_a_price_is_for_the_kind_of_machine_that_answered() -> None:
    """A CPU's price on a GPU's throughput would be two orders of magnitude too low: no cost, and why."""
    cpu, gpu = dataclasses.replace(MACHINE, device="cpu"), dataclasses.replace(MACHINE, device="gpu")

    def cost(price: Price, ran_on: str | None) -> list[float | None]:
        found = cost_estimates(price, Machine(ran_on=ran_on), RATE)["cost_per_call"]
        return [one.estimate for one in found]

    assert cost(cpu, "cpu") == cost(gpu, "gpu") == cost(MACHINE, "gpu") == pytest.approx([0.0005, 0.0005 / 0.3])
    assert cost(gpu, None) == pytest.approx([0.0005, 0.0005 / 0.3])  # a server of the user's own: they know it
    assert cost(cpu, "gpu") == cost(gpu, "cpu") == cost(cpu, None) == [None]
    [refused] = cost_estimates(cpu, Machine(ran_on="gpu"), RATE)["cost_per_call"]
    assert "ran on a GPU" in str(refused.reason)


@pytest.mark.parametrize(
    ("wanted", "name", "same"),
    [
        ("H100", "NVIDIA H100 80GB HBM3, 81559 MiB", True),
        ("A100 80GB", "NVIDIA A100-SXM4-80GB, 81920 MiB", True),
        ("A100 80GB", "NVIDIA A100 80GB PCIe", True),
        ("A100 80GB", "NVIDIA A100-SXM4-40GB", False),
        ("L4", "NVIDIA L4", True),
        ("L4", "NVIDIA L40S", False),
        ("A10G", "NVIDIA A100-PCIE-40GB", False),
        ("T4", "Tesla T4", True),
    ],
)
def test_a_gpu_is_known_by_the_words_of_its_name(wanted: str, name: str, same: bool) -> None:
    price = dataclasses.replace(MACHINE, name="x", device="gpu", gpu=wanted)
    refusal = Machine.of("gpu", {"gpus": [name]}).refusal(price, "the engine")
    expected = f"price=x is that of a machine with the GPU {wanted}, but the engine ran on {name.split(',')[0]}"
    assert refusal == (None if same else expected)


def test_a_cpu_machine_is_counted_by_its_cores() -> None:
    price = dataclasses.replace(MACHINE, name="x", device="cpu", cores=2)
    machine = Machine.of("cpu", {"cores": 8, "gpus": []})
    [call, _] = cost_estimates(price, machine, RATE)["cost_per_call"]
    assert call.estimate == pytest.approx(4 * 0.0005)
    assert str(call.mode).startswith("4 × x 100 % used; throughput")
    assert machine.count(MACHINE) == 1
    assert Machine.of("gpu", {"cores": 8, "gpus": ["NVIDIA L4"]}, devices=2).count(price) == 2


def test_a_server_is_not_taken_for_the_clients_own_machine() -> None:
    assert Machine.of(None, {"cores": 8, "gpus": ["NVIDIA L4"]}) == Machine(ran_on=None)


def test_a_server_that_hides_its_machine_has_as_many_devices_as_are_said() -> None:
    """One GPU is assumed where nobody says, and the figure says so; what ran here is counted, whatever is said."""
    gpu = dataclasses.replace(MACHINE, device="gpu")
    [assumed, _] = cost_estimates(gpu, Machine(ran_on=None), RATE)["cost_per_call"]
    assert assumed.estimate == pytest.approx(0.0005)
    assert assumed.mode == (
        "m (one device is assumed, since the server hides its machine: say price.devices) 100 % used; "
        "throughput: closed loop"
    )
    said = dataclasses.replace(gpu, devices=4)
    [call, _] = cost_estimates(said, Machine(ran_on=None), RATE)["cost_per_call"]
    assert (call.estimate, call.mode) == (pytest.approx(0.002), "4 × m 100 % used; throughput: closed loop")
    [own, _] = cost_estimates(said, Machine(ran_on="gpu", devices=2), RATE)["cost_per_call"]
    assert own.estimate == pytest.approx(0.001)
