-- Who may do what in a hub. Run by its owner, again and again: `orch hub admin init` and `migrate`.
-- orch_reader reads everything but the secret. orch_pusher adds what it recorded itself, changes
-- nothing that others said, and reads nothing but what it needs for that. Members are given both.
-- Row policies are on writing alone: with one on reading, no index of words would be used.

GRANT SELECT ON hub, origins, statements, log, about, contents, briefings, gone,
  runs, run_texts, search, content_search TO orch_reader;

GRANT SELECT ON hub, hub_secret, gone TO orch_pusher;
GRANT SELECT ON origins TO orch_pusher;
GRANT INSERT (uid, declared, machine, name, client, began_at, sends, redactions)
  ON origins TO orch_pusher;
GRANT UPDATE (declared, machine, name, client, sends, last_seq, redactions, retold, seen_at)
  ON origins TO orch_pusher;
GRANT INSERT (recognition, level, digest, kind, at, body) ON statements TO orch_pusher;
GRANT INSERT ON log, about, briefings TO orch_pusher;
GRANT INSERT (sha256, size, encoding, data) ON contents TO orch_pusher;

-- Runs are derived: whoever pushes writes the rows of what it pushed, a member mends any.
GRANT SELECT (run_id, uid, origin_id, at, person, made_of, rules) ON runs TO orch_pusher;
GRANT INSERT (uid, origin_id, project, at, completed_at, machine, label, session, agent,
    status, ending, went_well, unverified, source, phase, depth, model, client_version,
    bundle_version, given_tokens, ambient_tokens, context_end_tokens, input_tokens,
    cache_write_tokens, cache_read_tokens, output_tokens, tool_calls, duration_ms, cost_usd,
    archived, retracted, said, made_of, rules),
  UPDATE (origin_id, project, at, completed_at, machine, label, session, agent,
    status, ending, went_well, unverified, source, phase, depth, model, client_version,
    bundle_version, given_tokens, ambient_tokens, context_end_tokens, input_tokens,
    cache_write_tokens, cache_read_tokens, output_tokens, tool_calls, duration_ms, cost_usd,
    archived, retracted, said, made_of, rules)
  ON runs TO orch_pusher;
GRANT SELECT (run_id), INSERT, UPDATE ON run_texts TO orch_pusher;
GRANT SELECT (run_id, at), INSERT, UPDATE, DELETE ON search TO orch_pusher;
GRANT INSERT ON content_search TO orch_pusher;

ALTER TABLE origins ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read_all ON origins;
DROP POLICY IF EXISTS read_own ON origins;
DROP POLICY IF EXISTS add_own ON origins;
DROP POLICY IF EXISTS change_own ON origins;
CREATE POLICY read_all ON origins FOR SELECT TO orch_reader USING (true);
CREATE POLICY read_own ON origins FOR SELECT TO orch_pusher USING (person = session_user);
CREATE POLICY add_own ON origins FOR INSERT TO orch_pusher WITH CHECK (person = session_user);
CREATE POLICY change_own ON origins FOR UPDATE TO orch_pusher USING (person = session_user);

ALTER TABLE log ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read_all ON log;
DROP POLICY IF EXISTS add_own ON log;
CREATE POLICY read_all ON log FOR SELECT TO orch_reader USING (true);
CREATE POLICY add_own ON log FOR INSERT TO orch_pusher WITH CHECK (EXISTS (
  SELECT 1 FROM origins WHERE origins.origin_id = log.origin_id AND person = session_user));

-- Nobody says of a text that it is gone, but the functions that see who may.
ALTER TABLE contents ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read_all ON contents;
DROP POLICY IF EXISTS add ON contents;
CREATE POLICY read_all ON contents FOR SELECT TO orch_reader USING (true);
CREATE POLICY add ON contents FOR INSERT TO orch_pusher WITH CHECK (encoding <> 'gone');

ALTER TABLE runs ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read_all ON runs;
DROP POLICY IF EXISTS read_own ON runs;
DROP POLICY IF EXISTS add ON runs;
DROP POLICY IF EXISTS change ON runs;
CREATE POLICY read_all ON runs FOR SELECT TO orch_reader USING (true);
CREATE POLICY read_own ON runs FOR SELECT TO orch_pusher USING (person = session_user);
CREATE POLICY add ON runs FOR INSERT TO orch_pusher WITH CHECK (true);
CREATE POLICY change ON runs FOR UPDATE TO orch_pusher
  USING (person = session_user OR pg_has_role(session_user, 'orch_reader', 'member'));

ALTER TABLE run_texts ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read_all ON run_texts;
DROP POLICY IF EXISTS read_own ON run_texts;
DROP POLICY IF EXISTS add ON run_texts;
DROP POLICY IF EXISTS change ON run_texts;
CREATE POLICY read_all ON run_texts FOR SELECT TO orch_reader USING (true);
CREATE POLICY read_own ON run_texts FOR SELECT TO orch_pusher USING (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = run_texts.run_id AND runs.person = session_user));
CREATE POLICY add ON run_texts FOR INSERT TO orch_pusher WITH CHECK (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = run_texts.run_id));
CREATE POLICY change ON run_texts FOR UPDATE TO orch_pusher USING (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = run_texts.run_id));

ALTER TABLE search ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS read_all ON search;
DROP POLICY IF EXISTS read_own ON search;
DROP POLICY IF EXISTS add ON search;
DROP POLICY IF EXISTS change ON search;
DROP POLICY IF EXISTS remove ON search;
CREATE POLICY read_all ON search FOR SELECT TO orch_reader USING (true);
CREATE POLICY read_own ON search FOR SELECT TO orch_pusher USING (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = search.run_id AND runs.person = session_user));
CREATE POLICY add ON search FOR INSERT TO orch_pusher WITH CHECK (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = search.run_id));
CREATE POLICY change ON search FOR UPDATE TO orch_pusher USING (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = search.run_id));
CREATE POLICY remove ON search FOR DELETE TO orch_pusher USING (EXISTS (
  SELECT 1 FROM runs WHERE runs.run_id = search.run_id));

REVOKE ALL ON FUNCTION is_redaction, may_redact, redact_statement, redact_text, forget_texts
  FROM PUBLIC;
GRANT EXECUTE ON FUNCTION is_redaction, may_redact, redact_statement, redact_text, forget_texts
  TO orch_pusher;
