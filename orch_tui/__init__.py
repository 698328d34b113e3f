"""orch: prepare, record and recall the work you delegate to Claude Code subagents.

Names are loaded when first asked for, so that ``import orch_tui`` costs nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False  # type checkers know the name; importing typing would load re
if TYPE_CHECKING:
    from orch_tui.api import Execution as Execution
    from orch_tui.api import OrchestrationSession as OrchestrationSession
    from orch_tui.errors import OrchError as OrchError

_HOMES = {
    "Execution": "orch_tui.api",
    "OrchestrationSession": "orch_tui.api",
    "OrchError": "orch_tui.errors",
}
__all__ = ["Execution", "OrchError", "OrchestrationSession"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_HOMES])
