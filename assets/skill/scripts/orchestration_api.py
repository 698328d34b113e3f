"""The Python API of orch, for programs beside this file or with its folder on their path.

    from orchestration_api import OrchestrationSession

It must be among the first imports of a program: see make_importable for why.
"""

from _orch import make_importable

make_importable()

from orch_tui import Execution, OrchError, OrchestrationSession  # noqa: E402

__all__ = ["Execution", "OrchError", "OrchestrationSession"]
