from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from bench.loading.arrivals import Arrivals, Constant, Gamma, Poisson, Trace
from systems.base import UserError


def drawn(arrivals: Arrivals, rate: float, count: int = 20_000) -> np.ndarray:
    return arrivals.times(rate, count, np.random.default_rng(0))


@pytest.mark.parametrize("arrivals", [Poisson(), Gamma(shape=0.5), Gamma(shape=4.0), Constant()])
def test_they_come_at_the_rate_and_in_order(arrivals: Arrivals) -> None:
    times = drawn(arrivals, 8.0)
    assert times.shape == (20_000,)
    assert (np.diff(times) >= 0).all()
    assert len(times) / times[-1] == pytest.approx(8.0, rel=0.03)


def test_gaps_have_the_distribution_that_they_are_named_after() -> None:
    for arrivals, law in (
        (Poisson(), stats.expon(scale=1 / 8)),
        (Gamma(shape=0.5), stats.gamma(0.5, scale=1 / 4)),
    ):
        assert stats.kstest(np.diff(drawn(arrivals, 8.0), prepend=0), law.cdf).pvalue > 0.001
    assert np.diff(Constant().times(4.0, 3, np.random.default_rng(0))).tolist() == [0.25, 0.25]


def test_bursts_are_burstier_than_chance() -> None:
    def variation(arrivals: Arrivals) -> float:
        gaps = np.diff(drawn(arrivals, 8.0))
        return float(gaps.std() / gaps.mean())

    # The coefficient of variation of gamma gaps is one over the root of their shape.
    assert variation(Gamma(shape=0.25)) == pytest.approx(2.0, rel=0.05)
    assert variation(Gamma(shape=4.0)) == pytest.approx(0.5, rel=0.05)


def test_a_trace_is_replayed_at_the_rate_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "night.txt"
    path.write_text("10\n11\n14\n")
    # Gaps of 1 and 3 s in turn, from either: four of them are 8 s, replayed in four at one per second.
    ways = {tuple(Trace(path=str(path)).times(1.0, 4, np.random.default_rng(seed)).tolist()) for seed in range(20)}
    assert ways == {(0.5, 2.0, 2.5, 4.0), (1.5, 2.0, 3.5, 4.0)}
    assert Trace(path=str(path)).label == "trace night"


def test_what_is_replayed_of_a_long_trace_comes_at_the_rate_too(tmp_path: Path) -> None:
    """A night that is slow at first: whichever stretch is replayed is replayed at the rate asked for."""
    path = tmp_path / "night.txt"
    gaps = [10.0] * 500 + [0.1] * 500 + [0.0] * 50
    path.write_text("\n".join(str(moment) for moment in np.cumsum([0.0, *gaps])))
    trace = Trace(path=str(path))
    for seed in range(40):
        times = trace.times(8.0, 20, np.random.default_rng(seed))
        assert len(times) == 20
        assert times[-1] == pytest.approx(20 / 8) or (times == 1 / 8).all()
        assert (np.diff(times) >= 0).all()


@pytest.mark.parametrize("text", ["", "5", "1\n0.5", "1\nnan", "1\nx", "2\n2"])
def test_a_trace_without_rising_times_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "trace.txt"
    path.write_text(text)
    with pytest.raises(UserError, match=r"load.arrivals.path=.*must hold"):
        Trace(path=str(path))


def test_what_cannot_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"load.arrivals.shape=0"):
        Gamma(shape=0)
    with pytest.raises(UserError, match="cannot be read"):
        Trace(path=str(tmp_path / "nothing"))
