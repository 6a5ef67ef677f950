"""Draws the README's chart as SVG."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl
from matplotlib.figure import Figure

OURS = "#2563eb"
OTHERS = "#9ca3af"


def bars(path: Path, title: str, values: Mapping[str, float]) -> None:
    """Draws a horizontal bar chart and highlights the first bar, which is this library."""
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "", "font.family": "sans-serif"}):
        figure = Figure(figsize=(8, 0.6 + 0.45 * len(values)), layout="constrained")
        axes = figure.add_subplot()
        colors = [OURS, *[OTHERS] * (len(values) - 1)]
        axes.bar_label(
            axes.barh([*values], [*values.values()], color=colors, height=0.6),
            labels=[f"{value:,.0f}" for value in values.values()],
            padding=4,
        )
        axes.invert_yaxis()
        axes.margins(x=0.12)
        axes.set_title(title, loc="left", fontsize=11)
        axes.spines[["top", "right", "bottom"]].set_visible(False)
        axes.xaxis.set_visible(False)
        figure.savefig(path, format="svg", metadata={"Date": None})
