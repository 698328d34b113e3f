"""The live view of many running agents: what a look takes, and how much of a core.

    python -m tests.bench.live [--agents 50] [--looks 60] [--records 2.5] [--every 0.5]

Each agent's transcript gets so many records between two looks, as a client writes them: requests,
calls, results of up to 20 kB. The looks are timed, not waited for: the share of a core is the CPU
time of a look by ``--every`` seconds. Budgets: 2 % of a core, 10 ms a look, 16 ms a handler.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import tempfile
import time
from pathlib import Path
from statistics import median

from tests.live.claude_files import NOON, AgentWriter, ClaudeFiles, Follower

LENGTHS = (75, 300, 900, 4_500, 22_500)
"""Characters of the results of calls."""


def _record(agent: AgentWriter, number: int, at: float, chosen: random.Random) -> None:
    turn, part = divmod(number, 3)
    if part == 0:
        agent.request(at)
    elif part == 1:
        given = {"file_path": f"/home/dev/project/lib/f{turn}.py"}
        agent.calls(at, (f"t{turn}", "Read", given), context=10_000 + turn)
    else:
        agent.answers(at, f"t{turn}", "line of a file\n" * (chosen.choice(LENGTHS) // 15))


def measure_looks(agents: int, looks: int, records: float) -> list[tuple[float, float]]:
    """Wall and CPU seconds of each look at so many agents, all of which work."""
    chosen = random.Random(9)
    with tempfile.TemporaryDirectory() as folder:
        files = ClaudeFiles(Path(folder))
        files.client()
        writers = [files.agent(f"a{number:016x}").prompt(0) for number in range(agents)]
        written = [0.0] * agents
        view = Follower(files).view
        view.look(NOON)
        took = []
        for look in range(1, looks + 1):
            for number, writer in enumerate(writers):
                before, written[number] = written[number], written[number] + records
                for record in range(int(before), int(written[number])):
                    _record(writer, record, look / 2, chosen)
            wall, cpu = time.perf_counter(), time.thread_time()
            view.look(NOON + look / 2)
            took.append((time.perf_counter() - wall, time.thread_time() - cpu))
        return took


async def measure_handler(agents: int, looks: int) -> list[float]:
    """Seconds for which each look holds the event loop of the app, at Deploy."""
    from orch_tui.app import OrchApp
    from orch_tui.drafts import Drafts
    from orch_tui.project import Project
    from orch_tui.screens.app_messages import AgentsSeen
    from orch_tui.screens.widgets.row_list import Rows

    with tempfile.TemporaryDirectory() as folder:
        files = ClaudeFiles(Path(folder))
        files.client()
        for number in range(agents):
            files.agent(f"a{number:016x}").prompt(0).calls(1, ("t1", "Bash", {"command": "make"}))
        view = Follower(files).view
        snapshots = [view.look(NOON + look) for look in range(2, looks + 2)]
        project = Project(files.root)
        Drafts.beside(project.database).save("state", '{"offered": true}')
        app = OrchApp(project)
        took = []
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.press("f3")
            await pilot.pause(1)
            for snapshot in snapshots:
                before = time.perf_counter()
                app.on_agents_seen(AgentsSeen(snapshot, None))
                took.append(time.perf_counter() - before)
                await pilot.pause()
            assert len(app.screen.query_one("#runs", Rows).rows) == agents + 1  # the section
        return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--looks", type=int, default=60)
    parser.add_argument("--records", type=float, default=2.5)
    parser.add_argument("--every", type=float, default=0.5)
    given = parser.parse_args()
    for records, what in ((given.records, "working"), (0.0, "idle")):
        took = measure_looks(given.agents, given.looks, records)
        walls = sorted(1000 * wall for wall, _ in took)
        cpu = sum(cpu for _, cpu in took) / len(took)
        print(
            f"{given.agents} agents, {what:<8} a look {median(walls):5.2f} ms median, "
            f"{walls[len(walls) * 95 // 100]:5.2f} p95, {walls[-1]:5.2f} most; "
            f"{100 * cpu / given.every:4.2f} % of a core"
        )
    held = sorted(1000 * each for each in asyncio.run(measure_handler(given.agents, given.looks)))
    print(
        f"{given.agents} agents, Deploy    a handler {median(held):5.2f} ms median, "
        f"{held[len(held) * 95 // 100]:5.2f} p95, {held[-1]:5.2f} most"
    )


if __name__ == "__main__":
    main()
