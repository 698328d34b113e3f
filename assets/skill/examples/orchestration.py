"""One orchestration from scope to report: two agents at the same time.

    python examples/orchestration.py "Implement vector search" spec/requirements.md lib/types.ts

Run it in the project. AGENT is the command that plays an agent: it reads a briefing on standard
input and prints a final message.
"""

import os
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "scripts"))

from orchestration_api import Execution, OrchestrationSession  # noqa: E402

AGENT = shlex.split(os.environ.get("AGENT", "claude -p"))


def run(execution: Execution) -> bool:
    """Hand over the briefing, wait, and record what came back."""
    answer = subprocess.run(AGENT, input=execution.briefing.encode(), stdout=subprocess.PIPE)
    done = execution.record_completion(
        answer.stdout,
        status="failed" if answer.returncode else "completed",
        error_code="ORG-003" if answer.returncode else None,
        collect=True,
    )
    return bool(done.success)


def main(scope: str, *files: str) -> int:
    with OrchestrationSession(scope=scope) as session:
        # Phase 1: Analyze
        session.set_phase(1)
        answer = session.validate(context_files=files)
        if not answer.valid:
            print(*answer.recommendations, sep="\n", file=sys.stderr)
            return 1

        # Phase 2: Plan. Neither may touch what the other writes.
        session.set_phase(2)
        plan = {
            "task-implementor": f"{scope}. Change code and tests only.",
            "documentation-manager": f"Document this: {scope}. Change documentation only.",
        }
        bundles = {
            agent_type: session.prepare_context(agent_type, scope=task, files=files)
            for agent_type, task in plan.items()
        }
        print(session.track_budget(), file=sys.stderr)

        # Phase 3: Execute. Both are recorded before either starts.
        session.set_phase(3)
        deployed = [session.init_deployment(context_bundle=b) for b in bundles.values()]
        with ThreadPoolExecutor() as threads:
            succeeded = all(list(threads.map(run, deployed)))

        # Phase 4: Validate
        session.set_phase(4)
        print(session.validate_outputs(), file=sys.stderr)

        # Phase 5: Confirm
        session.set_phase(5)
        print(session.generate_synthesis_report())
        session.complete("completed" if succeeded else "failed")
        return 0 if succeeded else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
