"""Recording a deployment: who was sent, with what, under which budget, and the briefing."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict

from orch_tui.errors import ConflictError, OverBudgetError, UsageError
from orch_tui.frozen import frozen
from orch_tui.ids import check_label
from orch_tui.models.database import Record
from orch_tui.models.values import ENDINGS
from orch_tui.prepare import briefing as briefings_of
from orch_tui.prepare.briefing_size import count_briefing, draw_uid, measure_briefing
from orch_tui.prepare.budget import Judgement, Limits
from orch_tui.prepare.bundle import CLAIMED, Bundle, ContextItem
from orch_tui.prepare.catalogue import Catalogue, Model
from orch_tui.prepare.count import ZERO, Count
from orch_tui.prepare.marker import mark_briefing
from orch_tui.prepare.model_choice import ModelChoice, choose_model
from orch_tui.prepare.secret_verdicts import SecretVerdicts
from orch_tui.prepare.templates import Template
from orch_tui.record import bundles, executions, plan, sessions
from orch_tui.record.given_words import check_given_words
from orch_tui.record.ledger import briefings, journal, portable, registers
from orch_tui.record.ledger.ingest import Report, ingest_statement
from orch_tui.record.ledger.keys import owner_of
from orch_tui.record.ledger.merge import SAID, Observation, not_superseded
from orch_tui.record.ledger.raw_sql import ingest_noted_changes
from orch_tui.record.ledger.rebuild import stored_observations
from orch_tui.record.ledger.statement import (
    Allocated,
    Deployed,
    Edited,
    ItemFact,
    Noted,
    encode_statement,
)
from orch_tui.record.run_place import note_worktree
from orch_tui.record.session_budget import load_session_budget, read_taken
from orch_tui.record.token_counts import RecordedCounts
from orch_tui.rows import Allocation, ExecutionFacts, PlannedAgent, Session
from orch_tui.source_name import is_free_text

if TYPE_CHECKING:
    from orch_tui.record.hand_over import HandOver


@frozen
class Deployment:
    """What ``record_deployment`` recorded."""

    execution: ExecutionFacts
    briefing: bytes
    """To hand over, with the marker line; empty without a bundle and a briefing."""
    judgement: Judgement
    remarks: tuple[str, ...]
    """What a person should know: an overflow, a closed session, an assumed model."""
    model_choice: ModelChoice
    """The model asked for, and who says so."""
    hand_over: HandOver | None = None
    """How a hook hands the briefing over; None where there is none, or no such hook."""

    @property
    def line(self) -> str | None:
        """What to pass as the prompt in place of the briefing."""
        return self.hand_over.line if self.hand_over else None

    @property
    def all_remarks(self) -> tuple[str, ...]:
        """Those of the hand-over behind the others."""
        return (*self.remarks, *(self.hand_over.remarks if self.hand_over else ()))


@frozen
class Prospect:
    """What a deployment would be, before any of it is recorded."""

    agent_type: str
    scope: str | None
    model: str | None
    bundle: Bundle | None
    briefing: bytes
    """As it will be handed over, but for the marker line; empty without a bundle."""
    judgement: Judgement
    remarks: tuple[str, ...]
    model_choice: ModelChoice
    """The model asked for, and who says so."""


class _Intent(TypedDict):
    """What a deployment says that must be the same when it is said again."""

    session: str | None
    agent_type: str
    scope: str | None
    model: str | None
    context_token_count: int | None
    bundle_version: str | None


def record_deployment(
    record: Record,
    session_id: str,
    *,
    catalogue: Catalogue,
    limits: Limits,
    agent_type: str | None = None,
    scope: str | None = None,
    model: str | None = None,
    execution_id: str | None = None,
    bundle: Bundle | None = None,
    context_token_count: int | None = None,
    planned: int | None = None,
    briefing: bytes | None = None,
    template: Template | None = None,
    deployed_at: str | None = None,
    allow_overflow: str | None = None,
    supersede: str | None = None,
    allow_secret: bool = False,
    worktree: str | None = None,
    root: Path | None = None,
    source: str = "manual",
) -> Deployment:
    """Record the intention to deploy one agent, before it starts.

    What is not given comes from the planned agent (``planned`` is its position), then from the
    bundle. The briefing is the one given, or rendered from the bundle. Allocations are recorded
    with it. The same call again changes nothing. ``worktree`` is the linked worktree that it is
    deployed from, where hooks and transcripts tell of no other. The briefing is left for the
    hand-over hook of the project at ``root``, where it has one.

    Raises:
        UsageError: no agent type is known.
        NotFoundError: an unknown session or planned agent.
        SourceError: ``scope`` or ``briefing`` holds what looks like a secret that nobody said yes
            to before, without ``allow_secret``.
        OverBudgetError: over a limit and no reason to allow it.
        ConflictError: the id was deployed with other content, and no reason to supersede it; or
            the bundle was retracted.
    """
    with record.write():
        session = sessions.get_session(record, session_id)
        planned_agent = (
            None if planned is None else plan.get_planned_agent(record, session_id, planned)
        )
        if planned_agent and planned_agent.bundle_id and bundle is None:
            bundle = bundles.load_bundle(record, planned_agent.bundle_id).bundle
        said_itself, said_scope = bundle is not None, scope or ""
        asked_model = model
        agent_type, scope, model = _from_plan(
            agent_type, scope, model, planned_agent, bundle, session
        )
        known_scopes = {session.scope, *(each.scope for each in (planned_agent, bundle) if each)}
        for what, words in (
            ("the scope", None if said_scope in known_scopes else said_scope),
            ("the briefing", briefing),
        ):
            check_given_words(record, what, words, allow_secret=allow_secret, session_id=session_id)
        choice = _choice(asked_model, planned_agent, bundle, agent_type, catalogue, limits)
        runs_on = model or limits.agents.model(agent_type)
        asked_for = catalogue.model(runs_on)
        removed = bundles.tell_removed(record, bundle.bundle_id) if bundle else ""
        saved = _saved(record, bundle, session_id, asked_for) if bundle else None
        if planned_agent is None:
            planned_agent = plan.match_planned_agent(
                record,
                session_id,
                agent_type,
                said_scope,
                saved.bundle.bundle_id if saved else None,
            )
        outstanding = _outstanding(record, session_id, planned_agent)
        items = bundle.items if bundle else ()
        text = _briefing(record, saved, agent_type, scope, briefing, template)
        count, uid = None, ""
        if context_token_count is not None and saved is None:
            count = Count(context_token_count, CLAIMED, context_token_count, context_token_count)
        elif text:
            known = _uid_handed(record, execution_id)
            uid = known or draw_uid(asked_for.family)  # it takes what the usual one does
            handed = mark_briefing(text, known) if known else mark_briefing(text)
            count = count_briefing(handed, asked_for.family, cache=RecordedCounts(record))
        intent = _Intent(
            session=portable.session_ref(record, session_id),
            agent_type=agent_type,
            scope=scope,
            model=model,
            context_token_count=count.tokens if count else None,
            bundle_version=portable.ref_of(record, "version", saved.version_id) if saved else None,
        )
        if execution_id and owner_of(record, f"id:{execution_id}") is None:
            check_label("execution", execution_id)
        before = _said_before(record, execution_id)
        repeated = bool(before) and supersede is None
        if repeated:
            _same_or_conflict(before, {**intent, "deployed_at": deployed_at})
        judgement = _judge(
            record, session_id, execution_id, agent_type, saved, count, asked_for, limits
        )
        if not repeated:
            if removed:
                raise ConflictError(removed)
            if judgement.status == "over" and source in SAID:
                _require_reason(record, session_id, judgement, allow_overflow, saved)
            deployed = Deployed(
                **intent,
                planned=f"planned:{planned_agent.uid}" if planned_agent else None,
                estimator=count.estimator if count else None,
                ambient_tokens=judgement.agent.ambient.tokens if count else None,
                phase=session.phase,
                briefing=_kept_briefing(record, text, items),
                deployed_at=deployed_at or record.now(),
                supersedes=tuple(o.digest for o in before),
                reason=supersede,
            )
            about = [f"id:{execution_id}"] if execution_id else []
            about += [f"uid:{uid}"] if uid else []
            sessions.begin_session(record, session)
            report = Report(about, deployed, source=source, folder=str(root or ""))
            execution_id = ingest_statement(record, report)
            version = intent["bundle_version"]
            ingest_allocation(record, execution_id, items, version, source, replaces=bool(before))
            _log(record, session_id, execution_id, judgement, items, allow_overflow, supersede)
        note_worktree(
            record, executions.get_execution(record, execution_id or ""), worktree, source
        )
        execution = executions.get_execution(record, execution_id or "")
        recorded = Deployment(
            execution,
            mark_briefing(text, execution.uid),
            judgement,
            (
                *_remarks(session.status, judgement, catalogue.doubt(runs_on)),
                *_difference(saved, count, template, briefing),
                *(_mismatch(planned_agent, saved) if said_itself else ()),
                *outstanding,
                *_other_session(saved, session_id),
            ),
            choice,
        )
    if root is None or not recorded.briefing:
        return recorded
    from orch_tui.record.hand_over import leave_briefing  # it looks through settings files

    left = leave_briefing(record, root, recorded.execution, recorded.briefing)
    return dataclasses.replace(recorded, hand_over=left)


def preview_deployment(
    record: Record,
    session_id: str,
    *,
    catalogue: Catalogue,
    limits: Limits,
    agent_type: str | None = None,
    scope: str | None = None,
    bundle_id: str | None = None,
    planned: int | None = None,
) -> Prospect:
    """Give what ``record_deployment`` would record and hand over; records nothing.

    Raises:
        UsageError: no agent type is known.
        NotFoundError: an unknown session, bundle or planned agent.
    """
    with record.read():
        session = sessions.get_session(record, session_id)
        planned_agent = (
            None if planned is None else plan.get_planned_agent(record, session_id, planned)
        )
        if planned_agent and bundle_id is None:
            bundle_id = planned_agent.bundle_id
        saved = bundles.load_bundle(record, bundle_id) if bundle_id else None
        bundle = saved.bundle if saved else None
        agent_type, scope, model = _from_plan(
            agent_type, scope, None, planned_agent, bundle, session
        )
        choice = _choice(None, planned_agent, bundle, agent_type, catalogue, limits)
        runs_on = model or limits.agents.model(agent_type)
        asked_for = catalogue.model(runs_on)
        if saved and bundle and bundle.template_count is None:  # as recording it would
            bundle = measure_briefing(bundle, asked_for.family, cache=RecordedCounts(record))
            saved = dataclasses.replace(saved, bundle=bundle)
        text = _briefing(record, saved, agent_type, scope, None, None)
        count = (
            count_briefing(mark_briefing(text), asked_for.family, cache=RecordedCounts(record))
            if text
            else None
        )
        judgement = _judge(record, session_id, None, agent_type, saved, count, asked_for, limits)
        return Prospect(
            agent_type,
            scope,
            model,
            bundle,
            text,
            judgement,
            (
                *_remarks(session.status, judgement, catalogue.doubt(runs_on)),
                *_outstanding(record, session_id, planned_agent),
                *_other_session(saved, session_id),
                *filter(None, [bundles.tell_removed(record, bundle_id) if bundle_id else ""]),
            ),
            choice,
        )


def get_handed_over(record: Record, label: str) -> bytes:
    """The briefing of an execution as ``record_deployment`` gave it; empty where there was none.

    Raises:
        NotFoundError: no such execution.
    """
    execution = executions.get_execution(record, label)
    if execution.briefing_id is None:
        return b""
    return mark_briefing(briefings.get_briefing(record, execution.briefing_id), execution.uid)


def record_allocation(
    record: Record,
    label: str,
    bundle: Bundle,
    *,
    catalogue: Catalogue,
    limits: Limits,
    allow_overflow: str | None = None,
    source: str = "manual",
) -> list[Allocation]:
    """Record that an execution was given a bundle, where its deployment did not say so.

    Raises:
        NotFoundError: no such execution.
        ConflictError: it was given another bundle.
        OverBudgetError: over a limit and no reason to allow it.
    """
    with record.write():
        execution = executions.get_execution(record, label)
        label = execution.execution_id  # it may have been known under another
        agent_type = execution.agent_type
        model = catalogue.model(execution.requested_model or limits.agents.model(agent_type))
        saved = _saved(record, bundle, execution.session_id, model)
        if execution.bundle_version_id is None:
            text = (
                _briefing(record, saved, execution.agent_type, execution.scope, None, None)
                if execution.briefing_id is None
                else briefings.get_briefing(record, execution.briefing_id)
            )
            # who hands it over is not known, nor with which line: it is taken for a usual one
            handed = mark_briefing(text)
            count = count_briefing(handed, model.family, cache=RecordedCounts(record))
            judgement = _judge(
                record, execution.session_id, label, agent_type, saved, count, model, limits
            )
            if judgement.status == "over":
                _require_reason(record, execution.session_id, judgement, allow_overflow, saved)
            given = Noted(
                bundle_version=portable.ref_of(record, "version", saved.version_id),
                context_token_count=count.tokens,
                estimator=count.estimator,
                ambient_tokens=judgement.agent.ambient.tokens,
                briefing=portable.sha256_of_briefing(record, execution.briefing_id)
                or _kept_briefing(record, text, bundle.items),
            )
            ingest_statement(record, Report([f"id:{label}"], given, source=source))
            ingest_allocation(record, label, bundle.items, given.bundle_version, source)
            _log(
                record,
                execution.session_id,
                execution.execution_id,
                judgement,
                bundle.items,
                allow_overflow,
                None,
            )
        elif execution.bundle_version_id != saved.version_id:
            held = bundles.load_bundle_version(record, execution.bundle_version_id).bundle
            raise ConflictError(
                f"{execution.execution_id} was given {held.bundle_id} version {held.version}, "
                f"not {saved.bundle.bundle_id} version {saved.bundle.version}",
                hint="`orch init-deployment --supersede REASON` replaces what was said",
            )
        return executions.list_allocations(record, execution.execution_id)


def _saved(record: Record, bundle: Bundle, session_id: str, model: Model) -> bundles.SavedBundle:
    """The stored version of a bundle; an older one is deployed as it is, not saved again."""
    known = bundles.find_same_version(record, bundle)
    if known and known.bundle.template == bundle.template and known.bundle.template_count:
        return known
    if bundle.template_count is None:  # somebody made it by hand
        bundle = measure_briefing(bundle, model.family, cache=RecordedCounts(record))
    held_by = known.bundle.session_id or None if known else session_id
    return bundles.save_bundle(record, bundle, bundle.session_id or held_by)


def _from_plan(
    agent_type: str | None,
    scope: str | None,
    model: str | None,
    planned: PlannedAgent | None,
    bundle: Bundle | None,
    session: Session,
) -> tuple[str, str | None, str | None]:
    """Who is sent and what for: as said, else as planned, else as the bundle or session says."""
    agent_type = (
        agent_type or (planned and planned.agent_type) or (bundle.agent_type if bundle else None)
    )
    if not agent_type:
        raise UsageError("which agent is deployed?", hint="--agent-type NAME, or a bundle")
    scope = (
        scope or (planned and planned.scope) or (bundle.scope if bundle else None) or session.scope
    )
    model = model or (planned and planned.model) or (bundle.model if bundle else None) or None
    return agent_type, scope, model


def _choice(
    asked: str | None,
    planned: PlannedAgent | None,
    bundle: Bundle | None,
    agent_type: str,
    catalogue: Catalogue,
    limits: Limits,
) -> ModelChoice:
    """Which model is asked for, and who says so."""
    return choose_model(
        asked=asked,
        plan=planned.model if planned else None,
        bundle=bundle.model if bundle else None,
        definition=limits.agents.model(agent_type),
        session=catalogue.default,
    )


def _briefing(
    record: Record,
    saved: bundles.SavedBundle | None,
    agent_type: str,
    scope: str | None,
    given: bytes | None,
    template: Template | None,
) -> bytes:
    """What is handed over: the text given, the one generated last, or one rendered now.

    It speaks of the agent and the scope that are deployed, whatever the bundle was prepared for.
    """
    if given is not None or saved is None:
        return given or b""
    bundle = saved.bundle
    as_deployed = dataclasses.replace(bundle, agent_type=agent_type, scope=scope or bundle.scope)
    if template is None and as_deployed == bundle:
        generated = bundles.get_generated_briefing(record, saved)
        if generated is not None:
            return generated
    return briefings_of.render_briefing(as_deployed, template)


def _difference(
    saved: bundles.SavedBundle | None,
    count: Count | None,
    template: Template | None,
    given: bytes | None,
) -> Iterator[str]:
    """What the text that is handed over takes, where that is not what the bundle was said to."""
    if saved is None or count is None:
        return
    if _is_as_prepared(saved, count):
        return
    by = f"by the template {template.name}" if template else "in its own words" if given else ""
    yield (
        f"the briefing{f' {by}' if by else ''} takes {count} tokens, "
        f"{saved.bundle.bundle_id} was prepared with {saved.bundle.total}"
    )


def _is_as_prepared(saved: bundles.SavedBundle, count: Count) -> bool:
    """Whether a text takes what its bundle was said to, as close as its parts can tell."""
    said = saved.bundle.total
    return said.low <= count.high and count.low <= said.high


def _mismatch(planned: PlannedAgent | None, saved: bundles.SavedBundle | None) -> Iterator[str]:
    """A bundle other than the plan's, or one that this deployment changed."""
    if saved is None:
        return
    bundle = saved.bundle
    if planned and planned.bundle_id and planned.bundle_id != bundle.bundle_id:
        yield (
            f"planned agent {planned.position} was to get {planned.bundle_id}, "
            f"not {bundle.bundle_id}"
        )
    if bundle.version > 1:
        yield f"given {bundle.bundle_id} version {bundle.version}"


def _outstanding(record: Record, session_id: str, planned: PlannedAgent | None) -> tuple[str, ...]:
    """Name the agents that should have completed before a planned one is deployed."""
    if planned is None:
        return ()
    from orch_tui.record.plan_state import describe_outstanding, read_plan_states

    return tuple(describe_outstanding(read_plan_states(record, session_id), planned.position))


def _other_session(saved: bundles.SavedBundle | None, session_id: str) -> Iterator[str]:
    bundle = saved.bundle if saved else None
    if bundle and (
        told := bundles.tell_other_session(bundle.bundle_id, bundle.session_id, session_id)
    ):
        yield told


def _require_reason(
    record: Record,
    session_id: str,
    judgement: Judgement,
    reason: str | None,
    saved: bundles.SavedBundle | None,
) -> None:
    """Over a limit only with a reason; the refusal names what else takes most of the session."""
    if reason is not None and reason.strip():
        return
    if reason is not None:
        raise UsageError("an overflow needs a reason", hint='--allow-overflow "why"')
    try:
        judgement.require_fit()
    except OverBudgetError as error:
        itself = saved.bundle.bundle_id if saved else ""
        others = (t for t in read_taken(record, session_id) if t.label != itself)
        largest = sorted(others, key=lambda t: -t.count.tokens)[:3]
        most = ", ".join(f"{t.label} {t.count}" for t in largest)
        error.hint += "; --allow-overflow REASON is recorded"
        if judgement.session.status == "over" and most:
            error.hint += f". In the session: {most}; `orch retract BUNDLE --reason ...` drops one"
        raise


def _uid_handed(record: Record, execution_id: str | None) -> str | None:
    """Get the uid that an execution which is known already was handed over with.

    One that was found to be the same as another may be known by a lesser one since.
    """
    known = owner_of(record, f"id:{execution_id}") if execution_id else None
    if known is None:
        return None
    stated = record.value(
        "SELECT substr(about, 7, 32) FROM observations WHERE execution_id = ? "
        "AND kind = 'deployed' AND about GLOB '[[]\"uid:*' ORDER BY at LIMIT 1",
        [known],
    )
    return stated or executions.get_execution(record, known).uid


def _contents(items: Sequence[ContextItem]) -> list[bytes]:
    return [item.data for item in items if item.data is not None]


def _said_before(record: Record, execution_id: str | None) -> list[Observation]:
    """What people and scripts have said of the deployment with this id."""
    known = owner_of(record, f"id:{execution_id}") if execution_id else None
    if known is None:
        return []
    statements = not_superseded(stored_observations(record, known))
    return [
        o
        for o in statements
        if isinstance(o.statement, Deployed | Edited) and o.statement.agent_type
    ]


def _same_or_conflict(before: Sequence[Observation], said: Mapping[str, object]) -> None:
    held: dict[str, Any] = {}
    for observation in before:
        held |= encode_statement(observation.statement)
    different = [
        f"{name} is {held.get(name)!r}, not {value!r}"
        for name, value in said.items()
        if value is not None and held.get(name) != value
    ]
    if different:
        raise ConflictError(
            f"this execution was deployed already: {'; '.join(different)}",
            hint="choose another --execution-id (or leave it out), or --supersede REASON",
        )


def _judge(
    record: Record,
    session_id: str,
    execution_id: str | None,
    agent_type: str,
    saved: bundles.SavedBundle | None,
    count: Count | None,
    model: Model,
    limits: Limits,
) -> Judgement:
    """What is handed over against its agent's limit and, with the others, the session's."""
    if saved and count and _is_as_prepared(saved, count):
        count = saved.bundle.total  # as it is judged wherever it is prepared
    return load_session_budget(record, session_id, limits).judge(
        count or ZERO,
        model,
        agent_type=agent_type,
        items=saved.bundle.items if saved else (),
        instead_of=(execution_id, saved.bundle.bundle_id if saved else None),
    )


def ingest_allocation(
    record: Record,
    execution_id: str,
    items: Sequence[ContextItem],
    version: str | None,
    source: str,
    *,
    replaces: bool = False,
) -> None:
    """Record the items as given, those of a ``version`` by reference to where it was stated;
    ``replaces`` marks what was recorded before as not included."""
    if not items and not replaces:
        return
    given = make_allocation(items)
    if version:
        ingest_noted_changes(record)  # the version may be as new as the deployment
        stated = registers.read_registers(record, version).get("items")
        if stated and registers.items_given(stated.value) == given.items:
            given = Allocated(stated_in=stated.digest.hex())
    if replaces:
        given = given.replaced(replaces=True)
    ingest_statement(record, Report([f"id:{execution_id}"], given, source=source))


def make_allocation(items: Sequence[ContextItem]) -> Allocated:
    """The statement that these items were given."""
    return Allocated(
        items=tuple(
            ItemFact(
                context_type=item.type,
                context_source=item.source,
                token_count=item.count.tokens,
                included_in_deployment=1,
                position=position,
                priority=item.priority,
                sections=json.dumps(item.sections, ensure_ascii=False) if item.sections else None,
                estimator=item.count.estimator,
                token_low=item.count.low,
                token_high=item.count.high,
                content=item.sha256 or None,
            )
            for position, item in enumerate(items, start=1)
        ),
    )


def _kept_briefing(record: Record, text: bytes, items: Sequence[ContextItem]) -> str | None:
    """The SHA-256 of a briefing, which is stored; None for none."""
    if not text:
        return None
    briefings.store_briefing(record, text, _contents(items))
    return hashlib.sha256(text).hexdigest()


def _log(
    record: Record,
    session_id: str,
    execution_id: str,
    judgement: Judgement,
    items: Sequence[ContextItem],
    allow_overflow: str | None,
    supersede: str | None,
) -> None:
    """Journal the deployment, and apart from it every consent it needed."""

    def log(action: str, after: Mapping[str, Any]) -> None:
        journal.log_action(
            record, action, session_id=session_id, execution_id=execution_id, after=dict(after)
        )

    log("init-deployment", {"budget": judgement.status, "reason": supersede})
    if judgement.status == "over":
        figures = [str(gauge) for gauge in (judgement.agent, judgement.session)]
        log("overflow", {"reason": allow_overflow, "figures": figures})
    log_secrets(record, items, session_id=session_id, execution_id=execution_id)


def log_secrets(
    record: Record,
    items: Sequence[ContextItem],
    *,
    session_id: str | None,
    execution_id: str | None = None,
) -> None:
    """Journal the consent that was given for items that look like secrets."""
    verdicts = SecretVerdicts(RecordedCounts(record))
    secrets = [
        "the text" if is_free_text(item.source) else item.source
        for item in items
        if item.is_secret_by(verdicts)
    ]
    if secrets:
        journal.log_action(
            record,
            "allow-secret",
            session_id=session_id,
            execution_id=execution_id,
            after={"sources": secrets},
        )


def _remarks(status: str | None, judgement: Judgement, doubt: str) -> tuple[str, ...]:
    remarks = []
    if status in ENDINGS:
        remarks.append(f"the session was closed as {status}; the deployment is recorded in it")
    if doubt:
        remarks.append(doubt)
    remarks += [
        str(gauge) for gauge in (judgement.agent, judgement.session) if gauge.status != "ok"
    ]
    return tuple(remarks)
