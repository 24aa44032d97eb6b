"""Intervals, paired tests, corrections, effects and power. Pure functions of numbers; numpy and scipy only."""

from bench.stats.equivalence import Equivalence, two_one_sided_tests
from bench.stats.intervals import Interval, bootstrap_mean, cluster_bootstrap, student_mean, wilson
from bench.stats.paired import (
    PairedTest,
    bonett_price,
    holm,
    mcnemar_exact,
    paired_cluster_bootstrap,
    sign_flip_permutation,
)
from bench.stats.power import minimum_detectable_effect, minimum_detectable_effect_paired
from bench.stats.quantiles import order_statistic, quantile_interval

__all__ = [
    "Equivalence",
    "Interval",
    "PairedTest",
    "bonett_price",
    "bootstrap_mean",
    "cluster_bootstrap",
    "holm",
    "mcnemar_exact",
    "minimum_detectable_effect",
    "minimum_detectable_effect_paired",
    "order_statistic",
    "paired_cluster_bootstrap",
    "quantile_interval",
    "sign_flip_permutation",
    "student_mean",
    "two_one_sided_tests",
    "wilson",
]
