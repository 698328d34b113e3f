"""The engine's public face for Python: sessions, executions, bundles.

    from orch_tui import OrchestrationSession

    with OrchestrationSession(scope="Implement vector search") as session:
        bundle = session.prepare_context(agent_type="task-implementor", files=["lib/types.ts"])
        execution = session.init_deployment("task-implementor", context_bundle=bundle)
        ...
        execution.record_completion(final_message=answer, deliverables=["lib/search.ts"])

Several sessions may be open at once, in one thread or in many. What is handed out is frozen.
"""

from __future__ import annotations

from orch_tui.api.bundles import copy_bundle, import_bundle, saved_bundles
from orch_tui.api.execution import Execution
from orch_tui.api.hub import hub_connect, hub_disconnect, hub_status, hub_sync
from orch_tui.api.place import models
from orch_tui.api.recall import (
    activity,
    compare,
    drift,
    live,
    outputs_of,
    refresh,
    replay,
    search,
    show,
    stats,
)
from orch_tui.api.session import OrchestrationSession
from orch_tui.api.upkeep import forget
from orch_tui.project import Project
from orch_tui.project_bundles import (
    Prepared,
    apply_sharing,
    compose_from_run,
    find_sharing,
    fit_bundle,
    keep_bundle,
    keep_composition,
    prepare_bundle,
    share_bundles,
    take_sharing_back,
    what_would_fit,
)
from orch_tui.record.sharing import Shared

__all__ = [
    "Execution",
    "OrchestrationSession",
    "Prepared",
    "Project",
    "Shared",
    "activity",
    "apply_sharing",
    "compare",
    "compose_from_run",
    "copy_bundle",
    "drift",
    "find_sharing",
    "fit_bundle",
    "forget",
    "hub_connect",
    "hub_disconnect",
    "hub_status",
    "hub_sync",
    "import_bundle",
    "keep_bundle",
    "keep_composition",
    "live",
    "models",
    "outputs_of",
    "prepare_bundle",
    "refresh",
    "replay",
    "saved_bundles",
    "search",
    "share_bundles",
    "show",
    "stats",
    "take_sharing_back",
    "what_would_fit",
]
