"""A redacted secret is nowhere: no row, no index, no free page, no log, in no disguise."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import sqlite3
import tempfile
import zlib
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from orch_tui import cli
from orch_tui.errors import OrchError, RecordError, UsageError
from orch_tui.models.database import Record
from orch_tui.models.schema import TRIGGERS
from orch_tui.models.stored_bytes import OFTEN
from orch_tui.prepare.bundle import Bundle, ContextItem
from orch_tui.prepare.count import Count
from orch_tui.record import bundles, executions, outputs, plan, sessions
from orch_tui.record.completion import record_completion
from orch_tui.record.executions import list_completions
from orch_tui.record.ledger import briefings, contents, journal
from orch_tui.record.ledger.rebuild import (
    find_stale_executions,
    rebuild_from_statements,
    stored_statements,
)
from orch_tui.record.ledger.statement import decode_statement, unpack_fields
from orch_tui.record.opening import open_record
from orch_tui.record.upkeep.doctor import examine_record
from orch_tui.record.upkeep.redaction import Redacted, redact_secret
from orch_tui.search import maintenance
from orch_tui.search.schema import GIVEN, TEXTS
from tests.counts import COUNTS
from tests.record import claude_home
from tests.record.reporting import report
from tests.record.test_exchange import ACTS, Machine
from tests.record.test_importer import take_in

KEY = "skliveTOPSECRETq7Zx"
AWKWARD = 'pa"ss\\wörd\n\u2028key'
"""JSON escapes five of these, each in its own way."""


def item(source: str, data: bytes) -> ContextItem:
    return ContextItem("file", source, "required", (), data, Count(9, "o200k_base", 9, 9))


def fill(record: Record, secret: str, root: Path) -> str:
    """Put the secret wherever a user can put words; gives the execution's label."""
    session = sessions.init_session(
        record,
        f"session {secret}",
        project=str(root),
        metadata={"token": secret, f"key {secret}": ["nested", {"deep": secret}]},
        session_id="s",
    )
    plan.add_planned_agent(record, "s", "debugger", scope=f"planned {secret}")
    text = f"export KEY={secret}\n" + "filler line\n" * 60
    bundle = Bundle(
        bundle_id="b",
        agent_type="debugger",
        scope=f"bundle {secret}",
        items=(item(f"lib/{secret}.py", text.encode()), item("wide.txt", secret.encode("utf-16"))),
        model="sonnet",
        created_at="2026-11-22T10:00:00.000Z",
        name=f"name {secret}",
    )
    saved = bundles.save_bundle(record, bundle, "s")
    with record.write():
        label = report(
            record,
            "deployed",
            {
                "session_id": session.session_id,
                "agent_type": "debugger",
                "scope": f"run {secret}",
                "bundle_version_id": saved.version_id,
                "briefing_id": briefings.store_briefing(
                    record, f"# Do {secret}\n".encode() + text.encode(), [text.encode()]
                ),
            },
            source="manual",
            keys=["id:exec-1", f"tool:{secret}"],
        )
        record.execute(
            "INSERT INTO context_allocations (execution_id, context_type, context_source, "
            "included_in_deployment, content_id) VALUES (?, 'file', ?, 1, ?)",
            [label, f"lib/{secret}.py", contents.store_content(record, text.encode())],
        )
    record_completion(record, label, final_message=f"I used {secret} here. " + "All green. " * 50)
    record_completion(
        record,
        label,
        final_message="Sorry.",
        status="failed",
        error_message=f"401 for {secret}",
    )
    (root / "out.txt").write_text(f"wrote {secret}")
    outputs.collect_outputs(
        record,
        label,
        root=root,
        deliverable_paths=["out.txt"],
        validation={"auth": f"fail {secret}"},
        insights=[f"never print {secret}"],
    )
    return label


def disguises(secret: str) -> list[bytes]:
    return [
        secret.encode(),
        secret.encode("utf-16-le"),
        secret.encode("utf-16-be"),
        json.dumps(secret)[1:-1].encode(),
        json.dumps(secret, ensure_ascii=False)[1:-1].encode(),
    ]


def traces(record: Record, secret: str) -> list[str]:
    """Where the bytes of the secret still are: in the files, raw or inside what is compressed."""
    found = []
    for path in record.path.parent.glob("execution.db*"):
        raw = path.read_bytes()
        found += [f"{path.name}: {form!r}" for form in disguises(secret) if form in raw]
        for start in range(len(raw) - 1):  # every zlib stream, also on free pages
            if raw[start] == 0x78 and raw[start + 1] in (
                *(0x01, 0x5E, 0x9C, 0xDA),
                *(0x20, 0x7D, 0xBB, 0xF9),  # with what is often
            ):
                packed = zlib.decompressobj(zdict=OFTEN)
                try:
                    data = packed.decompress(raw[start:])
                except zlib.error:
                    continue
                found += [f"{path.name} zlib: {f!r}" for f in disguises(secret) if f in data]
    return found


def everything(record: Record) -> str:
    return "\n".join(record.connection.iterdump())


# Exact examples: a value in, the value without the secret out.

LETTERS = "abcde12345"
HASH = f"{LETTERS}{'0' * 54}"

VALUES: list[tuple[str, Any, Any]] = [
    (KEY, f"a {KEY} b {KEY}", "a [redacted] b [redacted]"),
    (KEY, f"[broken {KEY}", "[broken [redacted]"),
    (KEY, f"{{broken {KEY}", "{broken [redacted]"),
    (KEY, f' {{"a": "{KEY}"}}', ' {"a": "[redacted]"}'),
    (KEY, f'{{"a":"{KEY}","b":1}}', '{"a": "[redacted]", "b": 1}'),
    (KEY, f'[1,null,["x{KEY}"],{{"{KEY}":{{"a":"{KEY}"}}}}]',
     '[1, null, ["x[redacted]"], {"[redacted]": {"a": "[redacted]"}}]'),
    (KEY, f'["é","{KEY}"]', '["é", "[redacted]"]'),
    (KEY, f'["\\udcff","{KEY}"]', '["\\udcff", "[redacted]"]'),
    ("wörd-key", '{"a":"w\\u00f6rd-key"}', '{"a": "[redacted]"}'),
    ("wörd-key", "said w\\u00f6rd-key", "said [redacted]"),
    ("wörd-key", "said wörd-key", "said [redacted]"),
    ('wö"rd-key', 'said wö\\"rd-key', "said [redacted]"),
    (KEY, KEY.encode("utf-16-le"), "[redacted]".encode("utf-16-le")),
    (KEY, b"\xff" + KEY.encode("utf-16-be"), b"\xff" + "[redacted]".encode("utf-16-be")),
    (KEY, b"\xff" + KEY.encode() + b"\xff", b"\xff[redacted]\xff"),
    (LETTERS, f'["{HASH}","{LETTERS}0"]', f'["{HASH}", "[redacted]0"]'),
    (LETTERS, f'["sql:{HASH[:32]}","{LETTERS}"]', f'["sql:{HASH[:32]}", "[redacted]"]'),
    (LETTERS, f'["{HASH}0"]', f'["[redacted]{HASH[10:]}0"]'),
    (HASH, f'["{HASH}"]', '["[redacted]"]'),
]  # fmt: skip


def note(record: Record, *values: Any) -> None:
    """Write journal entries that hold them, as plain SQL may."""
    with record.write():
        for value in values:
            record.execute(
                "INSERT INTO journal (at, actor, action, after) VALUES ('', '', 'a', ?)", [value]
            )


def notes(record: Record) -> list[Any]:
    return [
        value
        for (value,) in record.sql("SELECT after FROM journal WHERE action = 'a' ORDER BY seq")
    ]


@pytest.mark.parametrize("secret", [KEY, "wörd-key", 'wö"rd-key', LETTERS, HASH])
def test_a_value_is_left_without_the_secret(record: Record, secret: str) -> None:
    values = [(value, expected) for hidden, value, expected in VALUES if hidden == secret]
    note(record, '{"a":1}', *(value for value, _ in values))
    in_hashes = (str(record.path),) if secret == LETTERS else ()
    assert redact_secret(record, secret, "x") == Redacted({"journal": len(values)}, in_hashes)
    assert notes(record) == ['{"a":1}', *(expected for _, expected in values)]


def test_a_value_that_is_compressed_stays_so(record: Record) -> None:
    values = [
        (f'{{"a":"{KEY}"}}'.encode(), b'{"a": "[redacted]"}'),
        (b"\xff" + KEY.encode(), b"\xff[redacted]"),
        (b"\xed\xa0\x80" + KEY.encode(), b"\xed\xa0\x80[redacted]"),
    ]
    clean = [zlib.compress(data, 1) for data in (b'{"a":"nothing"}', b"\xffnothing")]
    note(record, *clean, *(zlib.compress(data, 6) for data, _ in values))
    assert redact_secret(record, KEY, "x") == Redacted({"journal": 3}, ())
    assert notes(record) == [*clean, *(zlib.compress(expected, 6) for _, expected in values)]


def test_letters_of_it_in_a_uid_are_left_alone(record: Record) -> None:
    uid = f"{LETTERS}{'0' * 22}"
    sessions.init_session(record, "x", project="/p", session_id="s")
    with record.write():
        record.execute("UPDATE sessions SET uid = ?", [uid])
        record.execute("DELETE FROM changed_rows")
    assert "sessions" not in redact_secret(record, LETTERS, "letters").places
    assert record.value("SELECT uid FROM sessions") == uid


def test_the_shortest_secret_has_four_characters(record: Record) -> None:
    assert redact_secret(record, "q7Zx", "short") == Redacted({}, ())
    for secret in ("q7Z", " q7Z ", b"\xffq7Z\xff"):
        with pytest.raises(UsageError) as refused:
            redact_secret(record, secret, "shorter")
        assert refused.value.message == (
            "a secret shorter than 4 characters would be found everywhere"
        )
        assert refused.value.hint == "give all of it"


@pytest.mark.parametrize(
    ("secret", "word"),
    [("efor", "before"), ("went_on_aft", "went_on_after"), ("agent_execution", "agent_executions")],
)
def test_a_part_of_a_word_that_the_record_writes_is_refused(
    record: Record, secret: str, word: str
) -> None:
    with pytest.raises(UsageError) as refused:
        redact_secret(record, secret, "part")
    assert refused.value.message == f"the record itself writes {word!r}"
    assert refused.value.hint == "give all of the secret"


PLACES = {
    "contents": 4,
    "sessions": 1,
    "planned_agents": 1,
    "bundles": 1,
    "bundle_versions": 1,
    "bundle_items": 1,
    "agent_executions": 1,
    "briefings": 1,
    "execution_keys": 1,
    "observations": 8,
    "completions": 1,
    "context_allocations": 1,
    "outputs": 3,
    "journal": 2,
}


def test_what_was_found_is_counted_told_and_stated(record: Record, tmp_path: Path) -> None:
    fill(record, KEY, tmp_path)
    last = record.value("SELECT max(observation_id) FROM observations")
    done = redact_secret(record, KEY, "pasted by mistake")
    assert (done.places, done.still_in) == (PLACES, (str(tmp_path / "out.txt"),))
    entry = journal.list_journal(record)[-1]
    assert (entry.action, entry.session_id, entry.execution_id, entry.before) == (
        *("redact", None, None),
        None,
    )
    assert entry.subject == f"sha256 {hashlib.sha256(KEY.encode()).hexdigest()[:8]}, 19 characters"
    known_by = entry.after.pop("known_by")
    assert len(bytes.fromhex(known_by)) == 32
    assert entry.after == {"reason": "pasted by mistake", "places": PLACES}
    stated = [
        decode_statement(kind, unpack_fields(payload) or {})
        for kind, payload in record.sql(
            "SELECT kind, payload FROM observations WHERE observation_id > ?", [last]
        )
    ]
    assert sorted(said.subject.partition(":")[0] for said in stated) == [
        *("bundle", "planned", "session", "version"),
    ]
    assert all("[redacted]" in str(said.values) for said in stated)


def test_only_what_was_redacted_is_stated_again(record: Record) -> None:
    """A field that held nothing of it may have been changed elsewhere meanwhile."""
    sessions.init_session(record, f"scope {KEY}", project="", session_id="s")
    last = record.value("SELECT max(observation_id) FROM observations")
    redact_secret(record, KEY, "x")
    (payload,) = record.sql("SELECT payload FROM observations WHERE observation_id > ?", [last])
    assert (unpack_fields(payload[0]) or {})["values"] == {"scope": "scope [redacted]"}
    assert record.sql("SELECT DISTINCT redacted FROM registers ORDER BY 1") == [(None,)]


def test_statements_name_what_took_the_place_of_what_they_named(
    record: Record, tmp_path: Path
) -> None:
    text = "export KEY=[redacted]\n" + "filler line\n" * 60
    label = fill(record, KEY, tmp_path)
    redact_secret(record, KEY, "x")
    (deployed,) = stored_statements(record, label, "deployed")
    briefing = f"# Do [redacted]\n{text}".encode()
    assert deployed.briefing == hashlib.sha256(briefing).hexdigest()
    assert deployed.scope == "run [redacted]"
    gone = f"# Do {KEY}\n{text.replace('[redacted]', KEY)}".encode()
    assert record.sql("SELECT sha256, size, parts LIKE '[[\"gone\", %' FROM briefings") == [
        (hashlib.sha256(briefing).digest(), len(briefing), 0),
        (hashlib.sha256(gone).digest(), len(gone), 1),
    ]
    first, second = stored_statements(record, label, "returned")
    said = b"I used [redacted] here. " + b"All green. " * 50
    assert first.message == hashlib.sha256(said).hexdigest()
    assert (second.error_code, second.error_message) == (None, "401 for [redacted]")
    assert (
        record.sql("SELECT encoding, data FROM contents WHERE encoding = 'gone'")
        == [("gone", b"")] * 4
    )


def test_names_that_differ_in_the_secret_alone_are_refused_by_table(record: Record) -> None:
    for name in (KEY, "[redacted]"):
        sessions.init_session(record, "x", project="/p", session_id=f"s-{name}")
    with pytest.raises(OrchError) as refused:
        redact_secret(record, KEY, "in a name")
    assert refused.value.message == "two rows of sessions differ in nothing but the secret"
    assert refused.value.hint == (
        "give a shorter part of the secret, so that their names stay different"
    )


def write(path: Path, data: str | bytes) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return str(path)


def test_files_beside_the_record_of_a_project_are_looked_into(
    record: Record, tmp_path: Path
) -> None:
    folder, other = record.path.parent, tmp_path / "other"
    sessions.init_session(record, "x", project=str(tmp_path), session_id="s")
    sessions.init_session(record, "x", project=str(other), session_id="t")
    found = [
        write(folder / "a.bak", KEY),
        write(folder / "drafts" / "long.txt", b"x" * ((1 << 20) - 5) + KEY.encode()),
        write(folder / "drafts" / "wide.txt", b"\xff" + KEY.encode("utf-16-le")),
        write(folder / "inbox" / "1.json", json.dumps({"a": KEY})),
        write(other / ".claude" / "orchestration" / "inbox" / "2.json", KEY),
    ]
    write(folder / "drafts" / "harmless.txt", KEY[:-1])
    write(folder / "torn.db", b"SQLite format 3\0" + b"torn" * 100)
    write(other / ".claude" / "orchestration" / "drafts" / "of another.txt", KEY)
    os.symlink(write(tmp_path / "outside" / "o.txt", KEY), folder / "drafts" / "link.txt")
    os.symlink(tmp_path / "outside", folder / "linked")
    os.mkfifo(folder / "drafts" / "pipe")
    for dry_run in (True, False):
        done = redact_secret(record, KEY, "x", dry_run=dry_run)
        assert done == Redacted({}, tuple(found))


def test_files_beside_a_record_elsewhere_are_looked_into(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read (``/proc/self/mem`` from its start) does not stop the rest."""
    path = tmp_path / "x.db"
    monkeypatch.chdir(tmp_path)
    with open_record(path) as record:
        session = sessions.init_session(record, "x", project="").session_id
        with record.write():
            label = report(record, "deployed", {"session_id": session}, source="api")
            for name in ("/proc/self/mem", str(tmp_path / "abs.txt"), "relative.txt"):
                record.execute(
                    "INSERT INTO outputs (execution_id, output_type, path) "
                    "VALUES (?, 'deliverable', ?)",
                    [label, name],
                )
        found = [
            write(tmp_path / "x.db.bak", KEY),
            write(tmp_path / "drafts" / "a" / "b.txt", KEY),
            write(tmp_path / "abs.txt", KEY),
        ]
        write(tmp_path / "other.txt", KEY)
        write(tmp_path / "relative.txt", KEY)
        assert redact_secret(record, KEY, "x") == Redacted({}, tuple(found))


@pytest.mark.parametrize("secret", [KEY, AWKWARD], ids=["key", "awkward"])
def test_no_byte_of_it_is_left(record: Record, tmp_path: Path, secret: str) -> None:
    fill(record, secret, tmp_path)
    assert traces(record, secret)
    done = redact_secret(record, secret, "pasted by mistake")
    assert traces(record, secret) == []
    record.close()
    assert traces(record, secret) == []
    assert set(done.places) == {
        "contents",
        "briefings",
        "bundles",
        "bundle_versions",
        "bundle_items",
        "sessions",
        "planned_agents",
        "journal",
        "agent_executions",
        "execution_keys",
        "observations",
        "completions",
        "context_allocations",
        "outputs",
    }


@pytest.fixture
def redacted(record: Record, tmp_path: Path) -> Record:
    fill(record, KEY, tmp_path)
    redact_secret(record, KEY, "pasted by mistake")
    return record


def test_the_rest_of_the_words_stay(redacted: Record) -> None:
    session = sessions.get_session(redacted, "s")
    assert session.scope == "session [redacted]"
    assert session.metadata == {
        "token": "[redacted]",
        "key [redacted]": ["nested", {"deep": "[redacted]"}],
    }
    execution = executions.get_execution(redacted, "exec-1")
    assert execution.scope == "run [redacted]"
    assert execution.error_message == "401 for [redacted]"
    first = list_completions(redacted, "exec-1")[0]
    message = contents.get_content_text(redacted, first.message_id)
    assert message is not None
    assert message.startswith("I used [redacted] here. All green.")
    bundle = bundles.load_bundle(redacted, "b").bundle
    assert bundle.items[0].source == "lib/[redacted].py"
    assert (bundle.items[0].data or b"").startswith(b"export KEY=[redacted]\nfiller")
    assert (bundle.items[1].data or b"").decode("utf-16") == "[redacted]"
    given = outputs.list_execution_outputs(redacted, "exec-1")
    assert {o.content for o in given if o.output_type == "insight"} == {"never print [redacted]"}
    briefing = briefings.get_briefing(redacted, execution.briefing_id or 0)
    assert briefing.startswith(b"# Do [redacted]\nexport KEY=[redacted]\nfiller")


def test_what_is_left_is_whole(redacted: Record) -> None:
    assert [f for f in examine_record(redacted.path) if f.level != "ok"] == []
    assert list(find_stale_executions(redacted)) == []
    assert maintenance.check(redacted) == []


def test_the_index_forgets_the_word(redacted: Record) -> None:
    redacted.execute(f"CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', {TEXTS}, 'row')")
    redacted.execute(f"CREATE VIRTUAL TABLE temp.given USING fts5vocab('main', {GIVEN}, 'row')")
    terms = {t for (t,) in redacted.sql("SELECT term FROM words UNION SELECT term FROM given")}
    assert "redacted" in terms
    assert not [term for term in terms if KEY.lower() in term]


def test_the_journal_tells_that_and_why_but_not_what(redacted: Record) -> None:
    entry = journal.list_journal(redacted)[-1]
    assert entry.action == "redact"
    assert entry.after["reason"] == "pasted by mistake"
    assert entry.after["places"]["sessions"] == 1
    assert KEY not in str(entry)
    with pytest.raises(RecordError, match="append-only"):
        redacted.execute("DELETE FROM journal")


def test_a_secret_in_the_reason_is_not_told_either(record: Record) -> None:
    sessions.init_session(record, f"session {KEY}", project="/p")
    redact_secret(record, KEY, f"{KEY} was live")
    assert journal.list_journal(record)[-1].after["reason"] == "[redacted] was live"
    assert traces(record, KEY) == []


def test_a_briefing_redacted_twice_leads_to_the_one_that_holds_neither(record: Record) -> None:
    """Also where that stood in the record before."""
    first, second = "firstSECRETone1", "secondSECRETtwo2"
    clean = b"# Do it with [redacted] and [redacted]\n"
    text = clean.replace(b"[redacted]", first.encode(), 1).replace(b"[redacted]", second.encode())
    with record.write():
        kept = briefings.store_briefing(record, clean, ())
        briefings.store_briefing(record, text, ())
    for secret in (first, second):
        redact_secret(record, secret, "leaked")
    stored = record.sql("SELECT sha256 FROM briefings")
    between = text.replace(first.encode(), b"[redacted]")
    assert {sha for (sha,) in stored} == {
        hashlib.sha256(each).digest() for each in (clean, text, between)
    }
    for (sha256,) in stored:
        assert briefings.find_briefing(record, sha256) == kept
    assert briefings.get_briefing(record, kept) == clean
    with record.write():
        assert briefings.store_briefing(record, text, ()) == kept


def test_how_far_a_redaction_is_is_told_step_by_step(record: Record, tmp_path: Path) -> None:
    fill(record, KEY, tmp_path)
    told: list[tuple[int, int]] = []
    redact_secret(record, KEY, "leaked", progress=lambda done, total: told.append((done, total)))
    (total,) = {total for _, total in told}
    done = [done for done, _ in told]
    assert done == sorted(done) and done[-2:] == [total - 2, total - 1]


def test_a_tombstone_keeps_the_bytes_from_coming_back(redacted: Record) -> None:
    before = everything(redacted)
    again = record_completion(
        redacted, "exec-1", final_message=f"I used {KEY} here. " + "All green. " * 50
    )
    assert not again.is_new
    assert everything(redacted) == before


def test_doing_it_again_finds_nothing(redacted: Record) -> None:
    before = everything(redacted)
    assert redact_secret(redacted, KEY, "again").places == {}
    assert everything(redacted) == before


def test_raw_sql_is_still_observed_afterwards(redacted: Record) -> None:
    with closing(sqlite3.connect(redacted.path)) as raw:
        raw.execute("UPDATE agent_executions SET scope = 'raw'")
        raw.commit()
    assert redacted.value("SELECT count(*) FROM observations WHERE pending") == 1


def test_a_dry_run_counts_the_same_and_changes_nothing(record: Record, tmp_path: Path) -> None:
    fill(record, KEY, tmp_path)
    before = everything(record)
    looked = redact_secret(record, KEY, "look", dry_run=True)
    assert everything(record) == before
    assert looked == redact_secret(record, KEY, "now")


def test_free_pages_are_cleaned_where_no_row_holds_it(record: Record) -> None:
    record.execute("PRAGMA secure_delete = 0")  # some builds wipe what is deleted, others do not
    sessions.init_session(record, KEY * 1000, project="/p", session_id="s")
    with record.write():
        record.execute("DELETE FROM sessions")
        record.execute("DELETE FROM observations")
        record.execute("DROP TRIGGER journal_keeps_rows")
        record.execute("DELETE FROM journal")
        record.execute(TRIGGERS["journal_keeps_rows"])
    record.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    assert traces(record, KEY)
    assert redact_secret(record, KEY, "gone already") == Redacted({}, ())
    assert traces(record, KEY) == []


@pytest.mark.parametrize(
    "stored",
    ['{"a": "\\u0073kliveTOPSECRETq7Zx"}', "[broken skliveTOPSECRETq7Zx", "skliveTOPSECRETq7Zx"],
    ids=["escaped by choice", "not JSON", "plain"],
)
def test_raw_json_is_found_however_it_was_written(record: Record, stored: str) -> None:
    record.execute(
        "INSERT INTO sessions (session_id, scope, metadata) VALUES ('s', 'x', ?)", [stored]
    )
    assert redact_secret(record, KEY, "raw").places == {"sessions": 1}
    held = record.value("SELECT metadata FROM sessions")
    assert "[redacted]" in held
    assert KEY[1:] not in held


def test_names_that_hold_it_stay_connected(record: Record) -> None:
    sessions.init_session(record, "x", project="/p", session_id=f"s-{KEY}")
    plan.add_planned_agent(record, f"s-{KEY}", "a")
    with record.write():
        report(
            record,
            "deployed",
            {"session_id": f"s-{KEY}", "agent_type": "a"},
            source="api",
            keys=[f"id:e-{KEY}"],
        )
    redact_secret(record, KEY, "in a name")
    assert record.sql("PRAGMA foreign_key_check") == []
    assert executions.get_execution(record, "e-[redacted]").session_id == "s-[redacted]"
    assert traces(record, KEY) == []


def test_the_message_of_a_run_with_such_a_name_is_kept(record: Record) -> None:
    sessions.init_session(record, "x", project="/p", session_id="s")
    with record.write():
        label = report(record, "deployed", {"session_id": "s"}, source="api", keys=[f"id:e-{KEY}"])
    record_completion(record, label, final_message="All green.")
    redact_secret(record, KEY, "in a name")
    execution = executions.get_execution(record, "e-[redacted]")
    assert execution.final_message == "All green."
    (completion,) = list_completions(record, "e-[redacted]")
    assert contents.get_content_text(record, completion.message_id) == "All green."


def test_a_briefing_names_the_contents_that_took_the_place_of_others(record: Record) -> None:
    text = f"export KEY={KEY}\n" + "filler line\n" * 60
    clean = text.replace(KEY, "[redacted]")
    sessions.init_session(record, "x", project="/p", session_id="s")
    with record.write():
        briefing_id = briefings.store_briefing(record, f"# Do\n{text}".encode(), [text.encode()])
        report(
            record,
            "deployed",
            {"session_id": "s", "briefing_id": briefing_id},
            source="api",
            keys=["id:e"],
        )
    assert "briefings" not in redact_secret(record, KEY, "in a content").places
    whole = f"# Do\n{clean}".encode()
    assert briefings.get_briefing(record, briefing_id) == whole
    gone = f"# Do\n{text}".encode()
    assert record.sql("SELECT sha256, size FROM briefings") == [
        (hashlib.sha256(whole).digest(), len(whole)),
        (hashlib.sha256(gone).digest(), len(gone)),
    ]
    assert record.value("SELECT parts FROM briefings WHERE briefing_id <> ?", [briefing_id]) == (
        f'[["gone", {briefing_id}]]'
    )
    with record.write():
        assert briefings.store_briefing(record, gone, [text.encode()]) == briefing_id
    (deployed,) = stored_statements(record, "e", "deployed")
    assert deployed.briefing == hashlib.sha256(whole).hexdigest()
    assert executions.get_execution(record, "e").briefing_id == briefing_id


def test_names_that_would_become_one_are_refused(record: Record) -> None:
    for name in (KEY, "[redacted]"):
        sessions.init_session(record, "x", project="/p", session_id=f"s-{name}")
    before = everything(record)
    with pytest.raises(OrchError, match="differ in nothing but the secret"):
        redact_secret(record, KEY, "in a name")
    assert everything(record) == before


def test_briefings_that_become_equal_become_one(record: Record) -> None:
    sessions.init_session(record, "x", project="/p", session_id="s")
    for number, secret in enumerate((KEY, "another-key-entirely")):
        with record.write():
            briefing_id = briefings.store_briefing(record, f"use {secret}".encode(), [])
            report(
                record,
                "deployed",
                {"session_id": "s", "agent_type": "a", "briefing_id": briefing_id},
                source="api",
                keys=[f"id:e{number}"],
            )
    redact_secret(record, KEY, "first")
    redact_secret(record, "another-key-entirely", "second")
    ids = {executions.get_execution(record, f"e{number}").briefing_id for number in range(2)}
    assert len(ids) == 1
    left = ids.pop() or 0
    assert briefings.get_briefing(record, left) == b"use [redacted]"
    with record.write():
        for gone in (KEY, "another-key-entirely"):
            assert briefings.store_briefing(record, f"use {gone}".encode(), []) == left
    assert list(find_stale_executions(record)) == []


def test_generated_briefings_that_become_equal_stay_with_their_bundles(record: Record) -> None:
    secrets = (KEY, "another-key-entirely")
    for number, secret in enumerate(secrets):
        bundle = Bundle(f"b{number}", "a", "", (), "", record.now())
        bundles.keep_briefing(record, bundles.save_bundle(record, bundle), f"use {secret}".encode())
    for secret in secrets:
        redact_secret(record, secret, "pasted")
    for number in range(2):
        saved = bundles.load_bundle(record, f"b{number}")
        assert bundles.get_generated_briefing(record, saved) == b"use [redacted]"


def test_a_transcript_read_again_states_nothing_anew(record: Record, tmp_path: Path) -> None:
    home = claude_home.write_home(tmp_path / "home")
    take_in(record, home)
    redact_secret(record, "Look at lib", "pasted")
    shutil.copytree(home, tmp_path / "copy")  # no checkpoint tells that it was read
    stated = record.value("SELECT count(*) FROM observations")
    take_in(record, tmp_path / "copy")
    assert record.value("SELECT count(*) FROM observations") == stated
    places = redact_secret(record, "Look at lib", "", dry_run=True).places
    assert places.keys() <= {"import_checkpoints"}


def test_bytes_that_are_no_text(record: Record) -> None:
    secret = b"\xff\xfebinary-key\x80"
    with record.write():
        held = contents.store_content(record, b"before " + secret + b" after")
    assert redact_secret(record, secret, "binary").places == {"contents": 1}
    assert contents.get_content(record, held) is None
    assert record.sql("SELECT data FROM contents WHERE encoding <> 'gone'") == [
        (b"before [redacted] after",)
    ]


def test_a_message_in_another_encoding(record: Record, tmp_path: Path) -> None:
    """What is shown of it is derived from its bytes again."""
    label = fill(record, "nothing secret", tmp_path)
    record_completion(record, label, final_message=b"\xffkey: " + KEY.encode("utf-16-le"))
    redact_secret(record, KEY, "pasted from a dump")
    assert traces(record, KEY) == []
    assert list(find_stale_executions(record)) == []


def test_other_files_that_hold_it_are_named(record: Record, tmp_path: Path) -> None:
    fill(record, KEY, tmp_path)
    folder = record.path.parent
    record.backup(folder / "execution.db.v0.bak")
    (folder / "drafts").mkdir()
    (folder / "drafts" / "scope.txt").write_text(f"draft {KEY}")
    (folder / "drafts" / "harmless.txt").write_text("draft")
    (folder / "inbox").mkdir()
    (folder / "inbox" / "1.json").write_text(json.dumps({"prompt": KEY}))
    done = redact_secret(record, KEY, "found late")
    assert sorted(done.still_in) == sorted(
        str(path)
        for path in (
            folder / "drafts" / "scope.txt",
            folder / "execution.db.v0.bak",
            folder / "inbox" / "1.json",
            tmp_path / "out.txt",
        )
    )
    assert KEY in (tmp_path / "out.txt").read_text()


def test_a_backup_that_holds_it_only_compressed_is_named(record: Record) -> None:
    with record.write():
        contents.store_content(record, f"packed {KEY} ".encode() * 20)
    copy = record.path.with_name("execution.db.v0.bak")
    record.backup(copy)
    assert KEY.encode() not in copy.read_bytes()
    assert redact_secret(record, KEY, "packed").still_in == (str(copy),)


def test_a_reader_that_keeps_old_pages_is_told_of(
    record: Record, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write-ahead log cannot be emptied while somebody reads from it."""
    sessions.init_session(record, f"session {KEY}", project="/p")
    record.execute("PRAGMA busy_timeout = 50")
    with Record(record.path) as other, other.read():
        other.value("SELECT count(*) FROM sessions")
        done = redact_secret(record, KEY, "while read")
        assert any(name.startswith(str(record.path)) for name in done.still_in)
    assert redact_secret(record, KEY, "once more").still_in == ()
    assert traces(record, KEY) == []


@pytest.mark.parametrize("secret", ["", "abc", "  a  ", b"\xff\xff\xff\xff\xffab", "mess", "text"])
def test_what_would_be_found_everywhere_is_refused(record: Record, secret: Any) -> None:
    sessions.init_session(record, "x", project="/p")
    before = everything(record)
    with pytest.raises(UsageError):
        redact_secret(record, secret, "too short")
    assert everything(record) == before


def test_letters_of_it_in_a_hash_are_left_alone(record: Record, tmp_path: Path) -> None:
    fill(record, KEY, tmp_path)
    payload = record.value("SELECT payload FROM observations WHERE kind = 'returned'")
    words = (unpack_fields(payload) or {})["words"]
    assert redact_secret(record, words[10:15], "five letters").places == {}
    assert redact_secret(record, words, "all of it").places == {"observations": 1}


def test_broken_off_once_the_record_is_clean_it_says_what_is_left(
    record: Record,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(record, KEY, tmp_path)

    def interrupt(held: Record) -> None:
        raise KeyboardInterrupt

    told: list[tuple[int, int]] = []
    with monkeypatch.context() as patched:
        patched.setattr(Record, "squeeze", interrupt)
        with pytest.raises(KeyboardInterrupt) as stopped:
            redact_secret(
                record, KEY, "a test", progress=lambda done, total: told.append((done, total))
            )
    assert told == sorted(told) and len(told) > 5
    assert cli._stopped(stopped.value) == 130
    assert "interrupted; the record no longer holds it, but" in capsys.readouterr().err
    assert cli._stopped(KeyboardInterrupt()) == 130
    assert "nothing is half written" in capsys.readouterr().err
    assert redact_secret(record, KEY, "a test").places == {}


STATED = {"session": "sessions", "planned": "planned_agents", "bundle": "bundles"} | {
    "version": "bundle_versions"
}


@pytest.mark.slow
@given(st.randoms(use_true_random=False))
@settings(max_examples=COUNTS.exchanges, phases=[Phase.generate])
def test_only_what_held_it_is_made_anew_and_that_is_enough(chance: random.Random) -> None:
    """Making everything anew, and stating everything, changes nothing more."""
    with tempfile.TemporaryDirectory() as name:
        machine = Machine(Path(name), "ann", chance)
        for _ in range(chance.randint(10, 40)):
            chance.choice(ACTS)(machine)
        record = machine.record
        for secret in chance.sample(SAID, 3):
            with suppress(OrchError):
                redact_secret(record, secret, "x")
                assert redact_secret(record, secret, "x", dry_run=True).places == {}
        before = without_index(record)
        with record.write():
            for kind, table in STATED.items():
                record.execute(
                    f"INSERT INTO changed_rows (subject) SELECT '{kind}:' || uid FROM {table}"
                )
            labels = record.sql("SELECT execution_id FROM agent_executions ORDER BY rowid")
            rebuild_from_statements(record, [label for (label,) in labels])
        assert without_index(record) == before
        assert maintenance.check(record) == []
        assert list(find_stale_executions(record)) == []
        record.close()


SAID = (
    *("All fine", "It fails", "done 0.", "insight 1", "text 1", "text 3", "find 0.", "lib/a.py"),
    *("scope 0.", "name 0.", "debugger", "by hand", "Look at", "sql 0.", "tester", "toolu_"),
)
"""What is said in such a record, now and then."""


def without_index(record: Record) -> list[Any]:
    """Every row but those of the search; of contents not in which of two places their bytes are."""
    apart = tuple(f'INSERT INTO "{name}' for name in ("search_", "given_", "contents"))
    rows = [line for line in record.connection.iterdump() if not line.startswith(apart)]
    return [*rows, *record.sql("SELECT content_id, sha256, encoding = 'gone' FROM contents")]
