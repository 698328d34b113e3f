#!/usr/bin/env bash
# One orchestration from scope to report: an implementor, then a reviewer that knows its report.
#
#   bash examples/orchestration.sh "Implement vector search" spec/requirements.md lib/types.ts
#
# Run it in the project. AGENT is the command that plays an agent: it reads a briefing on standard
# input and prints a final message. CHECK is the command that decides whether the result is right,
# "make test" for example; without it nothing is checked, and nothing is recorded as checked.
# Bundles, briefings, answers and the report stay in a folder named after the session.
set -euo pipefail

AGENT=${AGENT:-claude -p}
CHECK=${CHECK:-}
PYTHON=${PYTHON:-python3}
scripts=$(cd "$(dirname "$0")/../scripts" && pwd)

tracker() { "$PYTHON" "$scripts/execution_tracker.py" "$@"; }
context() { "$PYTHON" "$scripts/context_manager.py" "$@"; }
outputs() { "$PYTHON" "$scripts/output_collector.py" "$@"; }

scope=$1
shift
files=$(IFS=,; echo "$*")

# Deploys an agent with a bundle, runs it, records what came back and prints the execution's id.
run_agent() { # bundle name, agent type
  local id
  id=$(tracker init-deployment --session-id "$session" --agent-type "$2" \
    --context-bundle "$session/$1.json" --output "$session/$1-briefing.md")
  if $AGENT < "$session/$1-briefing.md" > "$session/$1-answer.md"; then
    tracker record-completion --execution-id "$id" \
      --final-message-file "$session/$1-answer.md" --collect auto >&2
  else
    touch "$session/failed"
    tracker record-completion --execution-id "$id" --status failed \
      --final-message-file "$session/$1-answer.md" \
      --error-code ORG-003 --error-message "the agent's command failed" >&2
  fi
  echo "$id"
}

# Phase 1: Analyze
"$PYTHON" "$scripts/validate_orchestration.py" --scope "$scope" --context-files "$files" >&2
session=$(tracker init-session --scope "$scope")
mkdir -p "$session"

# Phase 2: Plan
tracker set-phase 2 --session-id "$session" >&2
context prepare-bundle --session-id "$session" --agent-type task-implementor --scope "$scope" \
  --files "$files" --output "$session/implement.json" >&2
context track-budget --session-id "$session" >&2

# Phase 3: Execute
tracker set-phase 3 --session-id "$session" >&2
implemented=$(run_agent implement task-implementor)
context prepare-bundle --session-id "$session" --agent-type principle-evaluator \
  --scope "Review what was done for: $scope" \
  --files "$files" --references "$session/implement-answer.md" --output "$session/review.json" >&2
run_agent review principle-evaluator >&2

# Phase 4: Validate
tracker set-phase 4 --session-id "$session" >&2
status=completed
if [ -e "$session/failed" ]; then status=failed; fi
if [ -n "$CHECK" ]; then
  if $CHECK >&2; then result=pass; else result=fail status=failed; fi
  outputs collect --execution-id "$implemented" --validation-results "check:$result" >&2
fi

# Phase 5: Confirm
tracker set-phase 5 --session-id "$session" >&2
outputs synthesize --session-id "$session" --output "$session/report.md" >&2
tracker complete-session --session-id "$session" --status "$status" >&2
echo "$session/report.md"
