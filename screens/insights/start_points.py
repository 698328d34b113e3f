"""What runs began with, as points over what was estimated, and in words."""

from __future__ import annotations

from textual.content import Content

from orch_tui.recall.insights.run_starts import FAR, RunStarts
from orch_tui.screens.insights.figures import word_share
from orch_tui.screens.insights.point_plot import BIG, PlotLine, PlotPoint, PointPlot


def show_starts(plot: PointPlot, found: RunStarts) -> None:
    """Show the runs as points; big is only what is far from what was to be expected."""
    plot.border_title = (
        f"What was estimated, and what was used · {len(found.runs):,} of {found.n:,} runs"
    )
    learned = (("⠤⠤", "$part-shared"), " learned") if found.corrections else ()
    plot.border_subtitle = Content.assemble(
        *(("⠶", "$state-running"), " a run  "),
        *((BIG, "$state-doubt"), f" off by over {100 * FAR:.0f} %  "),
        *(("⠤⠤", "$foreground-muted"), " estimated  ", *learned),
    )
    plot.show(
        [
            PlotPoint(f"{number}", run.estimated, run.used, run.is_far)
            for number, run in enumerate(found.runs)
        ],
        [
            *(PlotLine(each.factor, each.besides, "learned") for each in found.corrections),
            PlotLine(1, 0, "same"),
        ],
    )


def word_deviations(found: RunStarts) -> str:
    """Word how far all runs were from what was estimated and, apart from it, what was learned."""
    told = [
        f"{word} {word_share(off.median)} ±{100 * off.within:.0f} % n {off.n:,}"
        for word, off in (("estimated", found.off_estimate), ("learned", found.off_learned))
        if off is not None
    ]
    return "off, median ± 9 in 10: " + " · ".join(told)
