"""Metrics by the name of their file in ``conf/metric``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import cast

from bench.metrics.base import Metric
from systems.base import UserError

FOLDER = Path(__file__).resolve().parent.parent.parent / "conf" / "metric"


@cache
def metric(name: str) -> Metric:
    """The metric that ``conf/metric/<name>.yaml`` declares. Raises ``UserError`` where there is none.

    ``family:measure`` is one measure of a family, as ``lm_eval:acc``: the file of the family, with ``of=measure``.
    """
    from hydra.errors import InstantiationException
    from hydra.utils import instantiate
    from omegaconf import OmegaConf

    family, colon, of = name.partition(":")
    file = FOLDER / f"{family}.yaml"
    if "/" in family or not file.exists():
        known = ", ".join(sorted(path.stem for path in FOLDER.glob("*.yaml")))
        raise UserError(f"metric {name}: no such metric; there are: {known}")
    try:
        return cast(Metric, instantiate(OmegaConf.load(file), **({"of": of} if colon else {}), _convert_="all"))
    except InstantiationException as error:
        raise UserError(f"{file}: {str(error.__cause__ or error).splitlines()[0]}") from error
