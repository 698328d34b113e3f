"""What runs began with, against what was estimated for them and learned from others."""

from __future__ import annotations

from orch_tui.recall.estimate_corrections import Start
from orch_tui.recall.insights.run_starts import FAR, judge_starts

RAN = "claude-sonnet-5"


def start(name: str, estimated: int, real: int) -> Start:
    return Start(RAN, estimated, real, name, "reviewer", "look")


def test_the_farthest_off_come_first_whichever_way() -> None:
    runs = [start("near", 100, 105), start("over", 100, 180), start("under", 100, 10)]
    judged = judge_starts(runs, (), 9)
    assert [run.execution_id for run in judged.runs] == ["under", "over", "near"]
    assert [run.is_far for run in judged.runs] == [True, True, False]
    assert judged.n == 9


def test_what_was_not_estimated_is_in_no_figure() -> None:
    judged = judge_starts([start("none", 0, 50)], (), 1)
    assert judged.runs == () and judged.off_estimate is None and judged.off_learned is None


def test_a_deviation_has_its_n_its_median_and_how_far_nine_in_ten_are() -> None:
    judged = judge_starts([start(str(n), 100, 100 + n) for n in range(1, 12)], (), 11)
    off = judged.off_estimate
    assert off is not None and off.n == 11
    assert round(off.median, 6) == 0.06 and round(off.within, 6) == 0.10


def test_where_nothing_was_learned_the_estimate_is_what_was_expected() -> None:
    (run,) = judge_starts([start("one", 1000, 1000 + int(1000 * FAR) + 1)], (), 1).runs
    assert run.learned is None and run.off_learned is None
    assert run.off == run.off_estimate and run.is_far
    assert run.row()["off_learned"] is None and run.row()["is_far"]
