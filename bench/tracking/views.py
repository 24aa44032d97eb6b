"""Saved pages of W&B, by ``wandb-workspaces``: the view that compares systems over runs, and a report of one run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from bench.reporting.measures import measure, primary
from bench.reporting.pareto import words
from bench.reporting.run_files import read_summary
from bench.tracking.flat import run_id
from bench.tracking.points import BUILD
from bench.tracking.privacy import cleared
from bench.tracking.settings import Settings
from bench.workspace import Workspace

MEASURES = (
    *("accuracy", "format_adherence", "hallucination_rate", "unfaithful_rate", "stale_rate", "leak_rate", "accepted"),
    *("latency_e2e_p50", "ttft_p50", "cost_per_call"),
)
"""Bars of the view: each measure with the ends of its interval."""
AXES = ("system", "model/name", "seed", "passages", "tuning/rank", "tuning/learning_rate")
"""Config keys of a sweep's parallel coordinates, unless others are asked for."""
VIEW_KEY = "knowhowsystems"
"""The comparison view in its address; one per project."""
VIEW = f"nw-{VIEW_KEY}-v"
"""The same, as W&B names it inside."""
FIGURES = ("figures/grid", "figures/pareto", "figures/load")
LIVE = (
    *("generate/per_second", "generate/done", "generate/failures"),
    *("load/per_second", "load/p50", "load/in_flight"),
)


def bars(reports: Any, name: str) -> Any:
    """A measure by system, with the ends of its interval beside it: W&B draws no intervals of its own."""
    return reports.BarPlot(
        title=measure(name).label, metrics=[f"{name}/low", name, f"{name}/high"], groupby=reports.Config("system")
    )


def scatter(reports: Any, lead: str) -> Any:
    """Quality over latency; cost is the colour."""
    one = reports.SummaryMetric
    return reports.ScatterPlot(
        title="Quality, latency and cost", x=one("latency_e2e_p50"), y=one(lead), z=one("cost_per_call")
    )


def comparison(settings: Settings, entity: str, axes: Sequence[str] = ()) -> Any:
    """The view of a project: its runs by system, and what there is to compare."""
    import wandb_workspaces.reports.v2 as reports
    import wandb_workspaces.workspaces as views
    from wandb_workspaces import expr

    columns: list[Any] = [
        *(reports.Config(axis.replace(".", "/")) for axis in axes or AXES),
        *(reports.SummaryMetric(name) for name in ("accuracy", "latency_e2e_p50", "cost_per_call")),
    ]
    return views.Workspace(
        entity=entity,
        project=settings.project,
        name="Systems compared",
        sections=[
            views.Section(name="Measures", panels=[bars(reports, name) for name in MEASURES], is_open=True),
            views.Section(name="Trade-offs", panels=[scatter(reports, "accuracy")], is_open=True),
            views.Section(
                name="Sweep",
                panels=[
                    reports.ParallelCoordinatesPlot(
                        columns=[reports.ParallelCoordinatesPlotColumn(metric=one) for one in columns]
                    )
                ],
                is_open=True,
            ),
            views.Section(name="Samples", panels=[reports.WeavePanelSummaryTable(table_name="samples")], is_open=True),
            views.Section(name="Figures", panels=[reports.MediaBrowser(media_keys=list(FIGURES))]),
            views.Section(name="Live", panels=[reports.LinePlot(y=[name]) for name in LIVE]),
        ],
        runset_settings=views.RunsetSettings(
            filters=[expr.Metric("JobType") != BUILD],
            groupby=[expr.Config("system")],
            pinned_columns=["summary:accuracy", "summary:latency_e2e_p50", "summary:cost_per_call"],
        ),
    )


def run_report(workspace: Workspace, settings: Settings, entity: str) -> Any:
    """A report of one run: what it says in words, and panels over its systems alone."""
    import wandb_workspaces.reports.v2 as reports

    summary = cleared(read_summary(workspace.path))
    run = summary["run"]
    lead = primary(*(entry["measures"] for entry in summary["systems"].values())) or "accuracy"
    ids = [run_id(workspace.path.name, run["started"], system) for system in summary["systems"]]
    mine = reports.Runset(
        entity=entity,
        project=settings.project,
        name=cleared(workspace.path.name),
        filters=f"ID in [{', '.join(map(repr, ids))}]",
    )
    measured = [name for name in MEASURES if any(name in entry["measures"] for entry in summary["systems"].values())]
    about = f"{run['model']} on {run['engine']}, {run['grid']} grid, seed {run['seed']}, commit {run['commit']}. "
    about += f"{summary['completed']} of {summary['planned']} answers."
    return reports.Report(
        entity=entity,
        project=settings.project,
        title=cleared(f"{workspace.path.name}: systems compared")[:128],
        description=about,
        blocks=[
            reports.P(f"{about} {words(summary)}".strip()),
            reports.H2("Measures"),
            reports.PanelGrid(runsets=[mine], panels=[bars(reports, name) for name in measured]),
            reports.H2("Trade-offs"),
            reports.PanelGrid(
                runsets=[mine],
                panels=[scatter(reports, lead), reports.MediaBrowser(media_keys=list(FIGURES), num_columns=1)],
            ),
            reports.H2("Samples"),
            reports.PanelGrid(runsets=[mine], panels=[reports.WeavePanelSummaryTable(table_name="samples")]),
        ],
    )


def save_workspace(settings: Settings, axes: Sequence[str]) -> str:
    """Save the comparison view, over the one that was saved before; its address."""
    from wandb_workspaces.workspaces import internal

    entity = _entity(settings)
    view = comparison(settings, entity, axes)
    view._internal_name = VIEW
    with suppress(ValueError):  # no such project, or no such view in it
        view._internal_id = internal.get_view_dict(entity, settings.project, VIEW_KEY)["id"]
    return str(view.save().url)


def save_report(workspace: Workspace, settings: Settings) -> str:
    """Save a run's report; its address."""
    return str(run_report(workspace, settings, _entity(settings)).save().url)


def _entity(settings: Settings) -> str:
    import wandb

    return settings.entity or str(wandb.Api().default_entity)
