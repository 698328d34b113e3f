"""The scenarios. What the model says is made up; how the client behaves is what is looked at."""

from __future__ import annotations

import json
from pathlib import Path
from signal import SIGINT, SIGKILL, SIGTERM

from tests.client.scenario import (
    ANY,
    API_ERROR,
    BROKEN_OFF,
    Act,
    Fields,
    Held,
    Orch,
    Press,
    Said,
    Scenario,
    See,
    Type,
    either,
)
from tests.client.script import Answer, Refusal, call, holds, launch, says
from tests.client.truth import FIGURES

READ = call("Read", file_path="{project}/lib/calc.py")
SHELL = call("Bash", command="echo found", description="look")
WAIT = call("Bash", command="sleep 8; echo waited", description="wait")
WORK = call("Bash", command="python3 -c 'import time; time.sleep(6)'", description="work")
BACKGROUND = {"run_in_background": True}

FEW_TRIES = {"CLAUDE_CODE_MAX_RETRIES": "1"}
STOPPED = {
    "status": "failed",
    "ending": "stopped",
    "final": either("", "I begin."),
    "completions": either(0, 1),
}
"""Somebody ended it; whether that counts as coming back is open."""
GONE: Fields = {
    "status": either("failed", "deployed"),
    "ending": either("gone", None),
    "doubted": either(True, False),
    "completions": either(0, 1),
    "final": either("", "I begin."),
    "context_end_tokens": ANY,
}
"""Its client ended: an import alone does not know that."""

AT_WORK = "(starting |thinking |tool )*"
"""What is told while nothing is odd; what is over in a moment may be told or not."""

UNREAD: Fields = dict.fromkeys((*FIGURES, "usage", "tool_calls", "resolved_model"), ANY)
"""Nothing said that a transcript is worth reading: what only stands there is unknown."""


def _write_short_agent(project: Path, _: Orch) -> None:
    (project / ".claude" / "agents" / "short.md").write_text(
        "---\nname: short\ndescription: Two turns.\nmaxTurns: 2\n---\nBe short.\n"
    )


def _deny_explore(project: Path, _: Orch) -> None:
    rules = {"permissions": {"deny": ["Agent(Explore)"]}}
    (project / ".claude" / "settings.json").write_text(json.dumps(rules))


def _block_launches(project: Path, _: Orch) -> None:
    """Register a hook that blocks what holds the word "forbidden"."""
    command = "if grep -q forbidden; then echo not that one >&2; exit 2; fi"
    entry = {"matcher": "Agent", "hooks": [{"type": "command", "command": command}]}
    settings = {"hooks": {"PreToolUse": [entry]}}
    (project / ".claude" / "settings.json").write_text(json.dumps(settings))


def _allow_all(project: Path, _: Orch) -> None:
    """Register a hook that allows every call: in the mode ``auto`` a server would be asked, and
    here is none."""
    said = {"hookEventName": "PreToolUse", "permissionDecision": "allow"}
    command = f"echo '{json.dumps({'hookSpecificOutput': said})}'"
    settings = {"hooks": {"PreToolUse": [{"hooks": [{"type": "command", "command": command}]}]}}
    (project / ".claude" / "settings.json").write_text(json.dumps(settings))


def _write_forked_skill(project: Path, _: Orch) -> None:
    folder = project / ".claude" / "skills" / "apart"
    folder.mkdir(parents=True)
    (folder / "SKILL.md").write_text(
        "---\nname: apart\ndescription: Works apart.\ncontext: fork\nagent: general-purpose\n---\n"
        "(play forked) do it: $ARGUMENTS\n"
    )


def _install_plugin_too(project: Path, orch: Orch) -> None:
    orch("install", "--plugin", "plugin", "--yes")


def _deploy_a_long_briefing(project: Path, orch: Orch) -> None:
    """Leave a briefing of 700 kB for the hook, and the line that names it."""
    words = [f'Point {at}: läs "{at}" \\n, 中文 and more of it' for at in range(17_000)]
    (project / "long.md").write_text("\n".join(["# All of it (play long)", "", *words, ""]))
    orch("install", "--hooks", "--hand-over", "--yes")
    orch("init-session", "--scope", "Hand over")
    given = ("--agent-type", "general-purpose", "--briefing", "long.md")
    told = orch("init-deployment", *given, "--allow-overflow", "it is to be long")
    (project / "line.txt").write_text(told.stderr.splitlines()[-1])


THREE = ("held", "second", "third")
FIFTY = [f"part-{number}" for number in range(50)]

WORKFLOW = """export const meta = { name: 'find-and-check', description: 'two, then one',
  phases: [{ title: 'Find' }, { title: 'Check' }] }
phase('Find')
const found = await parallel([
  () => agent('(play first) find', { label: 'find:first', phase: 'Find' }),
  () => agent('(play second) find too', { label: 'find:second', phase: 'Find' })])
phase('Check')
const schema = { type: 'object', properties: { ok: { type: 'boolean' } }, required: ['ok'] }
const checked = await agent('(play checker) check', { label: 'check', phase: 'Check', schema })
return { found, checked }
"""

CHOOSE_AGENT: list[Act] = [
    *(See("↓ to manage"), Press("Down"), See("to select"), Press("Down"), See("enter to view")),
]
"""How somebody at the terminal comes to the one agent that runs."""

SCENARIOS = [
    Scenario(
        "foreground",
        {
            "main": [says("I hand it on.", launch("reader", "read the sums")), says("It is back.")],
            "reader": [
                says("I read.", READ),
                says(SHELL, READ),
                says(call("Write", file_path="{project}/notes.md", content="add adds\n")),
                says("It adds.\n\n## Deliverables\n- notes.md\n"),
            ],
        },
        {"reader": {}},
    ),
    Scenario(
        "background",
        {
            "main": [
                says(launch("slow", "take your time", **BACKGROUND)),
                says("I go on."),
                says("Done."),
            ],
            "slow": [says(SHELL), says("The background work is done.")],
        },
        {"slow": {}},
        short=True,
    ),
    Scenario(
        "three-at-once",
        {
            "main": [
                says(
                    "Three.",
                    launch("looker", "look around", subagent_type="Explore"),
                    launch("maker", "make it", subagent_type="implementor"),
                    launch("thinker", "think", model="haiku"),
                ),
                says("All are back."),
            ],
            "looker": [says(READ), says(SHELL), says("There is one file.")],
            "maker": [
                says(call("Write", file_path="{project}/lib/sub.py", content="x = 1\n")),
                says("Made.\n- lib/sub.py"),
            ],
            "thinker": [says("No tool was needed.")],
        },
        {"looker": {}, "maker": {}, "thinker": {}},
        short=True,
    ),
    Scenario(
        "nested",
        {
            "main": [says(launch("outer", "hand it further")), says("Done.")],
            "outer": [says(launch("middle", "and further")), says("Outer is done.")],
            "middle": [
                says(launch("inner", "do it", subagent_type="Explore")),
                says("Middle is done."),
            ],
            "inner": [says(READ), says("Inner is done.")],
        },
        {"outer": {}, "middle": {}, "inner": {}},
        short=True,
    ),
    Scenario(
        "named",
        {
            "main": [says(launch("scout", "look ahead", name="scout")), says("Done.")],
            "scout": [says(READ), says("The way is free.")],
        },
        {"scout": {}},
    ),
    Scenario(
        "fork",
        {
            "main": [
                says(launch("fork", "look with what I know", subagent_type="fork")),
                says("Done."),
            ],
            "fork": [says(READ), says("Looked.")],
        },
        {"fork": {"prompt": ANY, "requested_model": either(None, "inherit")}},
        environment={"CLAUDE_CODE_FORK_SUBAGENT": "1"},
    ),
    Scenario(
        "resumed",
        {
            "main": [
                says(launch("first-leg", "begin")),
                says(call("ToolSearch", query="select:SendMessage")),
                says(
                    call(
                        "SendMessage",
                        to="{agent of first-leg}",
                        summary="go on",
                        message="(play second-leg) go on",
                    )
                ),
                says("I wait."),
                says("Done."),
            ],
            "first-leg": [says(SHELL), says("The first leg is done.")],
            "second-leg": [says(SHELL), says("The second leg is done.")],
        },
        {"first-leg": {"completions": 2, "told": ["(play second-leg) go on"]}},
    ),
    Scenario(
        "workflow",
        {
            "main": [says(call("Workflow", script=WORKFLOW)), says("It runs."), says("Done.")],
            "first": [says(READ), says("Found one.")],
            "second": [says("Found another.")],
            "checker": [says(call("StructuredOutput", ok=True)), says("Checked.")],
        },
        {
            "first": {"prompt": "(play first) find", "scope": "find:first"},
            "second": {"prompt": "(play second) find too", "scope": "find:second"},
            "checker": {"prompt": "(play checker) check", "scope": "check"},
        },
    ),
    Scenario(
        "worktree",
        {
            "main": [says(launch("apart", "work apart", isolation="worktree")), says("Done.")],
            "apart": [
                says(call("Bash", command="echo x >apart.txt", description="write")),
                says("Worked apart."),
            ],
        },
        {"apart": {}},
    ),
    Scenario(
        "turn-limit",
        {
            "main": [says(launch("talker", "work on", subagent_type="short")), says("Done.")],
            "talker": [says(f"Turn {turn}.", SHELL) for turn in range(6)],
        },
        {"talker": {"doubted": True}},
        prepare=_write_short_agent,
    ),
    Scenario(
        "failures",
        {
            "main": [
                says(launch("unknown-type", "go", subagent_type="nobody")),
                says(launch("refused", "fail at once")),
                says(launch("overloaded", "fail for ever")),
                says(launch("late", "fail after some work")),
                says(launch("once", "fail once")),
                says(launch("cut", "be cut off")),
                says(launch("too-long", "say too much")),
                says("Done."),
            ],
            "refused": [Refusal(400, "invalid_request_error")],
            "overloaded": [Refusal(529, "overloaded_error")],
            "late": [says("I begin.", SHELL), Refusal(500)],
            "once": [Refusal(500, times=1, then=says("Fine after all."))],
            "cut": [says("This will not", cut=True)],
            "too-long": [says("This is cut because", stop="max_tokens")] * 8,
        },
        {
            "refused": BROKEN_OFF,
            "overloaded": BROKEN_OFF,
            "late": {"status": "failed", "final": either("", "I begin.", API_ERROR)},
            "once": {},
            "cut": {},
            "too-long": {"status": "failed", "final": either("", API_ERROR)},
        },
        never_ran={"unknown-type": "failed"},
        environment=FEW_TRIES,
        short=True,
    ),
    Scenario(
        "denied",
        {
            "main": [
                says(launch("denied", "look", subagent_type="Explore")),
                says(launch("allowed", "look")),
                says("Done."),
            ],
            "allowed": [says("Looked.")],
        },
        {"allowed": {}},
        never_ran={"denied": "failed"},
        prepare=_deny_explore,
    ),
    Scenario(
        "blocked",
        {
            "main": [
                says(launch("blocked", "do what is forbidden")),
                says(launch("allowed", "look")),
                says("Done."),
            ],
            "allowed": [says("Looked.")],
        },
        {"allowed": {}},
        never_ran={"blocked": "failed"},
        prepare=_block_launches,
    ),
    Scenario(
        "stopped",
        {
            "main": [
                says(launch("held", "take long", **BACKGROUND)),
                says(call("ToolSearch", query="select:TaskStop")),
                says(call("TaskStop", task_id="{agent of held}"), waits_for="held"),
                says("I stopped it."),
                says("Done."),
            ],
            "held": [says("I begin.", SHELL), holds()],
        },
        {"held": STOPPED},
        doings={"held": f"{AT_WORK}stopped"},
    ),
    Scenario(
        "interrupted",
        {
            "main": [says(launch("held", "take long")), says("Done.")],
            "held": [says("I begin.", SHELL), holds()],
        },
        {"held": {**STOPPED, "ending": "interrupted"}},
        ends_by=SIGINT,
    ),
    Scenario(
        "killed",
        {
            "main": [says(launch("held", "take long")), says("Done.")],
            "held": [says("I begin.", SHELL), holds()],
        },
        # nothing tells of an end
        {"held": {"status": "deployed", "completions": 0, "final": "", "context_end_tokens": ANY}},
        until_import={"held": UNREAD},
        ends_by=SIGKILL,
    ),
    Scenario(
        "empty",
        {
            "main": [
                says(launch("silent", "say nothing")),
                says(launch("fades", "work and say nothing")),
                says("Done."),
            ],
            "silent": [Answer()] * 8,
            "fades": [says(SHELL), *[Answer()] * 8],
        },
        {"silent": {"status": "failed"}, "fades": {"doubted": True}},
    ),
    Scenario(
        "hand-over",
        {
            "main": [
                says(
                    call(
                        "Agent",
                        description="by its line",
                        prompt="(play short) {file line.txt}",
                        subagent_type="general-purpose",
                        run_in_background=False,
                    )
                ),
                says("Done."),
            ],
            "short": [says("All that I have is a line.")],
            "long": [says(READ), says("I have all of it.")],
        },
        {"long": {}},
        prepare=_deploy_a_long_briefing,
        too_busy=b"it took more than",  # the hook gives up after 80 ms
        short=True,
    ),
    Scenario(
        "late-failures",
        {
            "main": [
                says(
                    launch("refused", "fail at once", **BACKGROUND),
                    launch("late", "fail after some work", **BACKGROUND),
                ),
                says("I wait."),
                says("One failed."),
                says("Both failed."),
            ],
            "refused": [Refusal(400, "invalid_request_error")],
            "late": [says("I begin.", SHELL), Refusal(500)],
        },
        {
            "refused": BROKEN_OFF,
            "late": {"status": "failed", "final": either("", "I begin.", API_ERROR)},
        },
        environment=FEW_TRIES,
    ),
    Scenario(
        "interactive",
        {
            "main": [
                says(launch("worker", "work")),
                says("I go on."),
                says("It is back."),
            ],
            "worker": [says(READ), says("Worked.")],
        },
        {"worker": {}},
        interactive=True,
        until=[("worker", 1), ("main", 2)],
        short=True,
    ),
    Scenario(
        "interactive-nested",
        {
            "main": [says(launch("outer", "hand it further")), says("I go on."), says("Done.")],
            "outer": [
                says(launch("inner", "do it", subagent_type="Explore")),
                says("I wait."),
                says("Outer is done."),
            ],
            "inner": [says(READ), says("Inner is done.", after=4)],
        },
        {"outer": {}, "inner": {}},
        interactive=True,
        until=[("inner", 1), ("outer", 2), ("main", 2)],
        doings={
            "outer": f"{AT_WORK}waiting {AT_WORK}returned",
            "inner": f"{AT_WORK}returned",
        },
    ),
    Scenario(
        "interactive-named",
        {
            "main": [
                says(launch("scout", "look ahead", name="scout")),
                says("I go on."),
                says("Done."),
            ],
            "scout": [says(READ), says("The way is free.")],
        },
        {"scout": {}},
        interactive=True,
        until=[("scout", 1), ("main", 2)],
    ),
    Scenario(
        "interactive-teammate",
        {
            "main": [
                says(launch("scout", "look ahead", name="scout")),
                says("I go on."),
                says("Done."),
            ],
            "scout": [says(READ), says("The way is free.")],
        },
        {"scout": {"prompt": "(play scout) look ahead"}},  # it is asked in a frame
        environment={"CLAUDE_CODE_EXPERIMENTAL_AGENT_TEAMS": "1"},
        interactive=True,
        until=[("scout", 1), ("main", 2)],
    ),
    Scenario(
        "interactive-stopped",
        {
            "main": [
                says(launch("held", "take long")),
                says(call("ToolSearch", query="select:TaskStop")),
                says(call("TaskStop", task_id="{agent of held}"), waits_for="held"),
                says("I stopped it."),
            ],
            "held": [says("I begin.", SHELL), holds()],
        },
        {"held": STOPPED},
        interactive=True,
        until=[("main", 3)],
    ),
    Scenario(
        "interactive-interrupted",
        {
            "main": [says(launch("held", "take long"))],
            "held": [says("I begin.", SHELL), holds()],
        },
        {"held": {**STOPPED, "ending": "interrupted"}},
        environment={"CLAUDE_CODE_DISABLE_BACKGROUND_TASKS": "1"},
        interactive=True,
        until=[("main", 0)],
        acts=[Held(), See("esc to interrupt"), Press("Escape"), See("Interrupted")],
    ),
    Scenario(
        "interactive-ended",
        {
            "main": [says(launch("held", "take long")), says("I go on."), says("It was stopped.")],
            "held": [says("I begin.", SHELL), holds()],
        },
        {"held": STOPPED},
        interactive=True,
        acts=[Held(), *CHOOSE_AGENT, Press("x"), Said("main", 2)],
        doings={"held": f"{AT_WORK}stopped"},
    ),
    Scenario(
        "interactive-told",
        {
            "main": [
                says(launch("slow", "take your time")),
                says(call("ToolSearch", query="select:SendMessage")),
                says(
                    call(
                        "SendMessage",
                        to="{agent of slow}",
                        summary="more",
                        message="Look at the tests, too.",
                    )
                ),
                says("I wait."),
                says("Done."),
            ],
            "slow": [says("I begin.", WAIT), says(READ), says("All of it is fine.")],
        },
        {"slow": {"told": ["Look at the tests, too."]}},
        interactive=True,
        until=[("slow", 2), ("main", 4)],
    ),
    Scenario(
        "interactive-typed",
        {
            "main": [says(launch("slow", "take your time")), says("I wait."), says("Done.")],
            "slow": [says("I begin.", WAIT), says(READ), says("All of it is fine.")],
        },
        {"slow": {"told": ["Look at the tests, too."]}},
        interactive=True,
        acts=[
            *CHOOSE_AGENT,
            Press("Enter"),
            See("Message @"),
            Type("Look at the tests, too."),
            Said("slow", 2),
            Said("main", 2),
            Press("Escape"),
            See("Done."),
        ],
    ),
    Scenario(
        "interactive-left",
        {
            "main": [says(launch("held", "take long")), says("I go on.")],
            "held": [says("I begin.", SHELL), holds()],
        },
        {"held": GONE},  # SessionEnd alone tells of the end
        interactive=True,
        leaves_it_running=True,
        until=[("main", 1)],
    ),
    Scenario(
        "watched",
        {
            "main": [
                says(
                    launch("builder", "work for long"),
                    launch("reader", "read and think"),
                    launch("looper", "look again and again"),
                ),
                says("Done."),
            ],
            "builder": [says("I build.", WORK), says(READ), says("Built.")],
            "reader": [
                says("I read.", READ, after=1.5),
                says(SHELL, stalls=5),
                says("I thought for long.", after=8),
            ],
            "looper": [*[says(READ, after=1.2)] * 6, says("Looked.", after=1.2)],
        },
        {"builder": {}, "reader": {}, "looper": {}},
        doings={
            "builder": "(starting |thinking )*tool (thinking |tool )*returned",
            "reader": f"{AT_WORK}returned",
            "looper": f"{AT_WORK}((tool|thinking)\\+loops )+returned",
        },
        short=True,
    ),
    Scenario(
        "watched-failing",
        {
            "main": [
                says(launch("busy", "fail thrice"), launch("broken", "fail for ever")),
                says("Done."),
            ],
            "busy": [Refusal(529, "overloaded_error", times=3, then=says("Fine after all."))],
            "broken": [says("I begin.", SHELL), Refusal(500)],
        },
        {
            "busy": {},
            "broken": {"status": "failed", "final": either("", "I begin.", API_ERROR)},
        },
        environment={"CLAUDE_CODE_MAX_RETRIES": "4"},
        doings={
            "busy": f"{AT_WORK}retrying {AT_WORK}returned",
            "broken": f"{AT_WORK}(retrying )?failed",
        },
    ),
    Scenario(
        "watched-denied",
        {
            "main": [says(launch("writer", "write")), says("Done.")],
            "writer": [
                says(call("Write", file_path="{project}/new.txt", content="x")),
                says("It was not allowed.", after=3),
            ],
        },
        {"writer": {}},
        options=(),
        doings={"writer": f"{AT_WORK}returned"},
    ),
    Scenario(
        "watched-asking",
        {
            "main": [
                says(
                    launch("writer", "write", subagent_type="implementor"),
                    launch("builder", "work for long"),
                    launch("clock", "tell when it is time"),
                ),
                *[says("I wait.")] * 4,
            ],
            "writer": [
                says("I write.", call("Write", file_path="{project}/new.txt", content="x")),
                says("Wrote."),
            ],
            "builder": [says("I build.", WORK), says("Built.")],
            "clock": [says("It is time.", after=5)],
        },
        {"writer": {}, "builder": {}, "clock": {}},
        options=("--permission-mode", "default", "--allowedTools", "Bash"),
        interactive=True,
        until=[("main", 1)],
        acts=[
            See("Do you want to create"),
            Said("clock", 0),
            Press("Enter"),
            Said("writer", 1),
            Said("builder", 1),
            Said("main", 2),
        ],
        doings={
            "writer": f"{AT_WORK}asks {AT_WORK}returned",
            "builder": "(starting |thinking )*tool (thinking )?returned",
        },
    ),
    *(
        Scenario(
            name,
            {
                "main": [
                    says(*[launch(part, "take long", **BACKGROUND) for part in THREE]),
                    says("I wait."),
                ],
                "held": [says("I begin.", SHELL), holds(waits_for="second")],
                "second": [says("I begin.", SHELL), holds(waits_for="third")],
                "third": [says("I begin.", SHELL), holds()],
            },
            dict.fromkeys(THREE, GONE),
            ends_by=signal,
            doings=dict.fromkeys(THREE, f"{AT_WORK}gone"),
        )
        for name, signal in (("watched-killed", SIGKILL), ("watched-terminated", SIGTERM))
    ),
    Scenario(
        "watched-fifty",
        {
            "main": [says(*[launch(part, "do a part") for part in FIFTY]), says("Done.")],
            **dict.fromkeys(FIFTY, [says(READ, after=1), says("Done with mine.", after=2)]),
        },
        dict.fromkeys(FIFTY, {}),
        environment={"CLAUDE_CODE_MAX_CONCURRENT_SUBAGENTS": "50"},
        doings=dict.fromkeys(FIFTY, f"{AT_WORK}returned"),
    ),
    Scenario(
        "skill-fork",
        {
            "main": [says(call("Skill", skill="apart", args="all of it")), says("Done.")],
            "forked": [says(READ), says("Worked apart.")],
        },
        {"forked": {"scope": ANY, "agent_type": ANY}},
        prepare=_write_forked_skill,
    ),
    Scenario(
        "plugin-too",
        {
            "main": [says(launch("reader", "read the sums")), says("Done.")],
            "reader": [says(READ), says("It adds.")],
        },
        {"reader": {}},
        options=("--dangerously-skip-permissions", "--plugin-dir", "plugin"),
        prepare=_install_plugin_too,
    ),
    Scenario(
        "subfolder",
        {
            "main": [says(launch("reader", "read the sums")), says("Done.")],
            "reader": [says(READ), says("It adds.")],
        },
        {"reader": {}},
        starts_in="lib",
    ),
    Scenario(
        "compacted",
        {
            "main": [
                says(launch("first", "work")),
                says("I go on."),
                says("It is back."),
            ],
            "first": [says(READ), says("The first is done.")],
            "compaction": [says("<summary>All went well so far.</summary>")],
            "main-again": [
                says(launch("second", "work on")),
                says("I go on."),
                says("That is back, too."),
            ],
            "second": [says(READ), says("The second is done.")],
        },
        {"first": {}, "second": {}},
        interactive=True,
        until=[("first", 1), ("main", 2)],
        acts=[
            Type("/compact"),
            Said("compaction", 0),
            See("ompacted"),
            Type("(play main-again) go on"),
            Said("second", 1),
            Said("main-again", 2),
        ],
    ),
    Scenario(
        "cleared",
        {
            "main": [
                says(launch("first", "work")),
                says("I go on."),
                says("It is back."),
            ],
            "first": [says(READ), says("The first is done.")],
            "main-again": [
                says(launch("second", "work on")),
                says("I go on."),
                says("That is back, too."),
            ],
            "second": [says(READ), says("The second is done.")],
        },
        {"first": {}, "second": {}},
        interactive=True,
        until=[("first", 1), ("main", 2)],
        acts=[
            See("It is back."),
            Type("/clear"),
            See("❯ /clear"),
            Type("(play main-again) go on"),
            Said("second", 1),
            Said("main-again", 2),
        ],
    ),
    Scenario(
        "handed-back",
        {
            "main": [says(launch("worker", "work")), says("I go on."), says("It is back.")],
            "worker": [says(READ), says(call("SubagentHandback", message="Worked: it adds."))],
        },
        {"worker": {"final": "Worked: it adds."}},
        prepare=_allow_all,
        options=("--permission-mode", "auto"),
        interactive=True,
        until=[("worker", 1), ("main", 2)],
    ),
]
