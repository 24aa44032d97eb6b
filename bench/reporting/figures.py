"""The figures of a run: SVG strings for pages, a PNG for trackers."""

from bench.reporting.grid_figure import grid_svg, interaction_svg
from bench.reporting.raster import png
from bench.reporting.scatter_figure import scatter_svg
from bench.reporting.surface_figure import surface_svg

__all__ = ["grid_svg", "interaction_svg", "png", "scatter_svg", "surface_svg"]
