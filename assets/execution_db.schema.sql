-- The record of orch. Written by `make schema`; do not edit.
PRAGMA application_id = 1869767528;

PRAGMA user_version = 2;

CREATE TABLE "record_facts" (
  "name" TEXT NOT NULL PRIMARY KEY,
  "value" TEXT NOT NULL
) WITHOUT ROWID;

CREATE TABLE "origins" (
  "origin_id" INTEGER NOT NULL PRIMARY KEY,
  "uid" TEXT NOT NULL,
  "person" TEXT,
  "machine" TEXT NOT NULL,
  "name" TEXT NOT NULL,
  "place" TEXT,
  "mine" INTEGER NOT NULL DEFAULT (0),
  "began_at" TIMESTAMP,
  "closed_at" TIMESTAMP
);

CREATE UNIQUE INDEX "origins_uid" ON "origins" ("uid");

CREATE UNIQUE INDEX "origins_name" ON "origins" ("name");

CREATE TABLE "contents" (
  "content_id" INTEGER NOT NULL PRIMARY KEY,
  "sha256" BLOB NOT NULL,
  "size" INTEGER NOT NULL,
  "encoding" TEXT NOT NULL CHECK (encoding IN ('raw', 'zlib', 'run', 'gone')),
  "data" BLOB NOT NULL
);

CREATE UNIQUE INDEX "contents_sha256" ON "contents" ("sha256");

CREATE TABLE "token_counts" (
  "sha256" BLOB NOT NULL,
  "estimator" TEXT NOT NULL,
  "tokens" INTEGER NOT NULL,
  PRIMARY KEY ("sha256", "estimator")
) WITHOUT ROWID;

CREATE TABLE "briefings" (
  "briefing_id" INTEGER NOT NULL PRIMARY KEY,
  "sha256" BLOB NOT NULL,
  "size" INTEGER NOT NULL,
  "parts" TEXT NOT NULL
);

CREATE UNIQUE INDEX "briefings_sha256" ON "briefings" ("sha256");

CREATE TABLE "bundles" (
  "bundle_id" TEXT NOT NULL PRIMARY KEY,
  "session_id" TEXT,
  "name" TEXT,
  "created_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "removed_at" TIMESTAMP,
  "uid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  "origin_id" INTEGER,
  FOREIGN KEY ("origin_id") REFERENCES "origins" ("origin_id")
);

CREATE INDEX "bundles_session_id" ON "bundles" ("session_id");

CREATE UNIQUE INDEX "bundles_uid" ON "bundles" ("uid");

CREATE TABLE "bundle_versions" (
  "version_id" INTEGER NOT NULL PRIMARY KEY,
  "bundle_id" TEXT NOT NULL,
  "version" INTEGER NOT NULL,
  "agent_type" TEXT NOT NULL,
  "scope" TEXT NOT NULL,
  "model" TEXT,
  "briefing_id" INTEGER,
  "created_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "uid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  "frame_tokens" INTEGER,
  "template_tokens" INTEGER,
  "shared_tokens" INTEGER,
  FOREIGN KEY ("bundle_id") REFERENCES "bundles" ("bundle_id"),
  FOREIGN KEY ("briefing_id") REFERENCES "briefings" ("briefing_id")
);

CREATE UNIQUE INDEX "bundle_versions_uid" ON "bundle_versions" ("uid");

CREATE UNIQUE INDEX "bundle_versions_bundle_id_version" ON "bundle_versions" ("bundle_id", "version");

CREATE TABLE "bundle_items" (
  "version_id" INTEGER NOT NULL,
  "position" INTEGER NOT NULL,
  "type" TEXT NOT NULL CHECK (type IN ('file', 'reference', 'briefing', 'shared_context')),
  "source" TEXT NOT NULL,
  "sections" TEXT,
  "priority" TEXT NOT NULL CHECK (priority IN ('required', 'recommended', 'optional')),
  "content_id" INTEGER,
  "token_count" INTEGER NOT NULL,
  "token_low" INTEGER NOT NULL,
  "token_high" INTEGER NOT NULL,
  "estimator" TEXT NOT NULL,
  "shared_with" TEXT,
  "text_encoding" TEXT,
  PRIMARY KEY ("version_id", "position"),
  FOREIGN KEY ("version_id") REFERENCES "bundle_versions" ("version_id"),
  FOREIGN KEY ("content_id") REFERENCES "contents" ("content_id"),
  CHECK (token_low <= token_high)
) WITHOUT ROWID;

CREATE TABLE "sessions" (
  "session_id" TEXT NOT NULL PRIMARY KEY,
  "created_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "scope" TEXT NOT NULL,
  "phase" INTEGER CHECK (phase BETWEEN 1 AND 5),
  "status" TEXT CHECK (status IN ('planning', 'executing', 'completed', 'failed')),
  "metadata" TEXT,
  "uid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  "project" TEXT,
  "budget" INTEGER,
  "completed_at" TIMESTAMP,
  "archived_at" TIMESTAMP,
  "claude_session" TEXT,
  "title" TEXT,
  "project_key" TEXT,
  "thresholds" TEXT,
  "reserve" INTEGER,
  "ended_at" TIMESTAMP,
  "origin_id" INTEGER,
  FOREIGN KEY ("origin_id") REFERENCES "origins" ("origin_id")
);

CREATE UNIQUE INDEX "sessions_uid" ON "sessions" ("uid");

CREATE INDEX "sessions_claude_session" ON "sessions" ("claude_session");

CREATE INDEX "sessions_created_at" ON "sessions" ("created_at");

CREATE TABLE "planned_agents" (
  "planned_id" INTEGER NOT NULL PRIMARY KEY,
  "session_id" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "agent_type" TEXT NOT NULL,
  "scope" TEXT NOT NULL DEFAULT (''),
  "model" TEXT,
  "bundle_id" TEXT,
  "created_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "removed_at" TIMESTAMP,
  "uid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  FOREIGN KEY ("session_id") REFERENCES "sessions" ("session_id"),
  FOREIGN KEY ("bundle_id") REFERENCES "bundles" ("bundle_id")
);

CREATE INDEX "planned_agents_session_id" ON "planned_agents" ("session_id");

CREATE UNIQUE INDEX "planned_agents_uid" ON "planned_agents" ("uid");

CREATE TABLE "planned_waits" (
  "planned_id" INTEGER NOT NULL,
  "waits_for" INTEGER NOT NULL,
  PRIMARY KEY ("planned_id", "waits_for"),
  FOREIGN KEY ("planned_id") REFERENCES "planned_agents" ("planned_id"),
  FOREIGN KEY ("waits_for") REFERENCES "planned_agents" ("planned_id")
) WITHOUT ROWID;

CREATE INDEX "planned_waits_waits_for" ON "planned_waits" ("waits_for");

CREATE TABLE "journal" (
  "seq" INTEGER NOT NULL PRIMARY KEY,
  "at" TIMESTAMP NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "actor" TEXT NOT NULL,
  "action" TEXT NOT NULL,
  "session_id" TEXT,
  "execution_id" TEXT,
  "subject" TEXT,
  "before" TEXT,
  "after" TEXT,
  "origin_id" INTEGER,
  FOREIGN KEY ("origin_id") REFERENCES "origins" ("origin_id")
);

CREATE INDEX "journal_session_id" ON "journal" ("session_id");

CREATE INDEX "journal_execution_id" ON "journal" ("execution_id");

CREATE TABLE "counters" (
  "name" TEXT NOT NULL PRIMARY KEY,
  "value" INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE "agent_executions" (
  "execution_id" TEXT NOT NULL PRIMARY KEY,
  "session_id" TEXT NOT NULL,
  "agent_type" TEXT NOT NULL,
  "deployed_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "completed_at" TIMESTAMP,
  "status" TEXT CHECK (status IN ('deployed', 'completed', 'failed')),
  "scope" TEXT,
  "context_token_count" INTEGER,
  "model" TEXT,
  "final_message" TEXT,
  "success" INTEGER,
  "error_message" TEXT,
  "error_code" TEXT,
  "uid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  "source" TEXT NOT NULL DEFAULT ('sql') CHECK (source IN ('manual', 'api', 'hook', 'import', 'sql')),
  "phase" INTEGER CHECK (phase BETWEEN 1 AND 5),
  "estimator" TEXT,
  "ambient_tokens" INTEGER,
  "planned_id" INTEGER,
  "bundle_version_id" INTEGER,
  "briefing_id" INTEGER,
  "tool_use_id" TEXT,
  "agent_id" TEXT,
  "parent_execution_id" TEXT,
  "depth" INTEGER,
  "resolved_model" TEXT,
  "context_end_tokens" INTEGER,
  "input_tokens" INTEGER,
  "cache_write_tokens" INTEGER,
  "cache_read_tokens" INTEGER,
  "output_tokens" INTEGER,
  "tool_calls" INTEGER,
  "duration_ms" INTEGER,
  "cost_usd" REAL,
  "price_date" TEXT,
  "price_tier" TEXT,
  "unverified" TEXT,
  "retracted_at" TIMESTAMP,
  "revision" INTEGER NOT NULL DEFAULT (0),
  "message_id" INTEGER,
  "handed_over_id" INTEGER,
  "worktree" TEXT,
  "run_project" TEXT,
  "ran_in" TEXT,
  "agent_name" TEXT,
  "agent_kind" TEXT,
  "workflow" TEXT,
  "workflow_run" TEXT,
  "workflow_phase" TEXT,
  "client_version" TEXT,
  "ending" TEXT,
  "transcript_path" TEXT,
  "parent_key" TEXT,
  "origin_id" INTEGER,
  FOREIGN KEY ("session_id") REFERENCES "sessions" ("session_id"),
  FOREIGN KEY ("planned_id") REFERENCES "planned_agents" ("planned_id"),
  FOREIGN KEY ("bundle_version_id") REFERENCES "bundle_versions" ("version_id"),
  FOREIGN KEY ("briefing_id") REFERENCES "briefings" ("briefing_id"),
  FOREIGN KEY ("parent_execution_id") REFERENCES "agent_executions" ("execution_id"),
  FOREIGN KEY ("message_id") REFERENCES "contents" ("content_id"),
  FOREIGN KEY ("handed_over_id") REFERENCES "briefings" ("briefing_id"),
  FOREIGN KEY ("origin_id") REFERENCES "origins" ("origin_id")
);

CREATE INDEX "agent_executions_session_id" ON "agent_executions" ("session_id");

CREATE UNIQUE INDEX "agent_executions_uid" ON "agent_executions" ("uid");

CREATE INDEX "agent_executions_bundle_version_id" ON "agent_executions" ("bundle_version_id");

CREATE INDEX "agent_executions_parent_execution_id" ON "agent_executions" ("parent_execution_id");

CREATE TABLE "execution_keys" (
  "key" TEXT NOT NULL PRIMARY KEY,
  "execution_id" TEXT NOT NULL,
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id")
) WITHOUT ROWID;

CREATE INDEX "execution_keys_execution_id" ON "execution_keys" ("execution_id");

CREATE TABLE "observations" (
  "observation_id" INTEGER NOT NULL PRIMARY KEY,
  "digest" BLOB NOT NULL,
  "execution_id" TEXT,
  "kind" TEXT NOT NULL,
  "source" TEXT CHECK (source IN ('manual', 'api', 'hook', 'import', 'sql')),
  "at" TIMESTAMP,
  "recorded_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "actor" TEXT,
  "about" TEXT,
  "payload" TEXT NOT NULL,
  "pending" INTEGER NOT NULL DEFAULT (0),
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id")
);

CREATE UNIQUE INDEX "observations_digest" ON "observations" ("digest");

CREATE INDEX "observations_execution_id" ON "observations" ("execution_id");

CREATE TABLE "completions" (
  "completion_id" INTEGER NOT NULL PRIMARY KEY,
  "execution_id" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "completed_at" TIMESTAMP,
  "status" TEXT NOT NULL CHECK (status IN ('completed', 'failed')),
  "success" INTEGER NOT NULL,
  "message_id" INTEGER,
  "error_message" TEXT,
  "error_code" TEXT,
  "source" TEXT NOT NULL CHECK (source IN ('manual', 'api', 'hook', 'import', 'sql')),
  "ending" TEXT,
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id"),
  FOREIGN KEY ("message_id") REFERENCES "contents" ("content_id")
);

CREATE UNIQUE INDEX "completions_execution_id_position" ON "completions" ("execution_id", "position");

CREATE TABLE "context_allocations" (
  "allocation_id" INTEGER NOT NULL PRIMARY KEY,
  "execution_id" TEXT NOT NULL,
  "context_type" TEXT CHECK (context_type IN ('file', 'reference', 'briefing', 'shared_context')),
  "context_source" TEXT,
  "token_count" INTEGER,
  "included_in_deployment" INTEGER,
  "position" INTEGER,
  "priority" TEXT CHECK (priority IN ('required', 'recommended', 'optional')),
  "sections" TEXT,
  "estimator" TEXT,
  "token_low" INTEGER,
  "token_high" INTEGER,
  "content_id" INTEGER,
  "arrived" INTEGER,
  "revision" INTEGER NOT NULL DEFAULT (0),
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id"),
  FOREIGN KEY ("content_id") REFERENCES "contents" ("content_id")
);

CREATE INDEX "context_allocations_execution_id" ON "context_allocations" ("execution_id");

CREATE INDEX "context_allocations_content_id" ON "context_allocations" ("content_id");

CREATE TABLE "outputs" (
  "output_id" INTEGER NOT NULL PRIMARY KEY,
  "execution_id" TEXT NOT NULL,
  "output_type" TEXT CHECK (output_type IN ('deliverable', 'validation_result', 'insight', 'error')),
  "content" TEXT,
  "created_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  "metadata" TEXT,
  "uid" TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
  "found" INTEGER NOT NULL DEFAULT (0),
  "path" TEXT,
  "sha256" TEXT,
  "size" INTEGER,
  "content_id" INTEGER,
  "retracted_at" TIMESTAMP,
  "revision" INTEGER NOT NULL DEFAULT (0),
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id"),
  FOREIGN KEY ("content_id") REFERENCES "contents" ("content_id")
);

CREATE INDEX "outputs_path" ON "outputs" ("path");

CREATE INDEX "outputs_created_at" ON "outputs" ("created_at");

CREATE UNIQUE INDEX "outputs_execution_id_uid" ON "outputs" ("execution_id", "uid");

CREATE TABLE "import_checkpoints" (
  "path" TEXT NOT NULL PRIMARY KEY,
  "size" INTEGER NOT NULL,
  "mtime_ns" INTEGER NOT NULL,
  "position" INTEGER NOT NULL,
  "head" TEXT,
  "note" TEXT,
  "state" TEXT,
  "awaited_since" TIMESTAMP,
  "read_at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);

CREATE TABLE "usage_messages" (
  "message_id" TEXT NOT NULL,
  "execution_id" TEXT NOT NULL,
  "at" TIMESTAMP,
  "model" TEXT,
  "input_tokens" INTEGER NOT NULL,
  "cache_write_tokens" INTEGER NOT NULL,
  "cache_read_tokens" INTEGER NOT NULL,
  "output_tokens" INTEGER NOT NULL,
  "tool_calls" INTEGER NOT NULL DEFAULT (0),
  "cost_usd" REAL,
  "output_price" REAL,
  "price_date" TEXT,
  "price_tier" TEXT,
  PRIMARY KEY ("message_id", "execution_id"),
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id")
) WITHOUT ROWID;

CREATE INDEX "usage_messages_execution_id" ON "usage_messages" ("execution_id");

CREATE TABLE "execution_files" (
  "execution_id" TEXT NOT NULL,
  "path" TEXT NOT NULL,
  "read_at" TIMESTAMP,
  "written_at" TIMESTAMP,
  PRIMARY KEY ("execution_id", "path"),
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id")
) WITHOUT ROWID;

CREATE TABLE "told" (
  "execution_id" TEXT NOT NULL,
  "position" INTEGER NOT NULL,
  "at" TIMESTAMP,
  "call" TEXT,
  "content_id" INTEGER,
  PRIMARY KEY ("execution_id", "position"),
  FOREIGN KEY ("execution_id") REFERENCES "agent_executions" ("execution_id"),
  FOREIGN KEY ("content_id") REFERENCES "contents" ("content_id")
) WITHOUT ROWID;

CREATE TABLE "log" (
  "origin_id" INTEGER NOT NULL,
  "seq" INTEGER NOT NULL,
  "observation_id" INTEGER NOT NULL,
  PRIMARY KEY ("origin_id", "seq")
) WITHOUT ROWID;

CREATE INDEX "log_observation_id" ON "log" ("observation_id");

CREATE TABLE "registers" (
  "subject" TEXT NOT NULL,
  "observation_id" INTEGER NOT NULL,
  "names" TEXT,
  "redacted" TEXT,
  PRIMARY KEY ("subject", "observation_id")
) WITHOUT ROWID;

CREATE TABLE "changed_rows" (
  "subject" TEXT NOT NULL
);

CREATE TABLE "hub_cursors" (
  "hub_uid" TEXT NOT NULL,
  "origin_uid" TEXT NOT NULL,
  "seq" INTEGER NOT NULL,
  PRIMARY KEY ("hub_uid", "origin_uid")
) WITHOUT ROWID;

CREATE TABLE "inputs_set_aside" (
  "path" TEXT NOT NULL PRIMARY KEY,
  "reason" TEXT NOT NULL,
  "size" INTEGER NOT NULL,
  "mtime_ns" INTEGER NOT NULL,
  "at" TIMESTAMP DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
) WITHOUT ROWID;

CREATE TABLE "ambient_learned" (
  "agent_type" TEXT NOT NULL,
  "client_version" TEXT NOT NULL,
  "entrypoint" TEXT NOT NULL,
  "part" TEXT NOT NULL,
  "estimator" TEXT NOT NULL,
  "tokens" INTEGER NOT NULL,
  "sha256" BLOB NOT NULL,
  PRIMARY KEY ("agent_type", "client_version", "entrypoint", "part", "estimator")
) WITHOUT ROWID;

CREATE INDEX executions_orphaned ON agent_executions (parent_key) WHERE parent_key IS NOT NULL AND parent_execution_id IS NULL;

CREATE INDEX observations_pending ON observations (execution_id) WHERE pending;

CREATE INDEX contents_of_runs ON contents (data) WHERE encoding = 'run';

CREATE INDEX transcripts_awaited ON import_checkpoints (awaited_since) WHERE awaited_since IS NOT NULL;

CREATE INDEX executions_by_time ON agent_executions (coalesce(deployed_at, completed_at), retracted_at, session_id, agent_type, status, success, model, resolved_model, planned_id, bundle_version_id, unverified, run_project);

INSERT OR IGNORE INTO record_facts (name, value) VALUES ('reading_version', '2');

CREATE TABLE search_docs (
  docid INTEGER PRIMARY KEY,
  execution_id TEXT NOT NULL UNIQUE,
  deployed_at TEXT NOT NULL,
  displaced INTEGER NOT NULL,
  archived INTEGER NOT NULL,
  index_version INTEGER NOT NULL,
  message_content_id INTEGER,
  briefing_id INTEGER,
  small_fields BLOB NOT NULL
);

CREATE INDEX search_docs_displaced ON search_docs (displaced) WHERE displaced > 0;

CREATE INDEX search_docs_version ON search_docs (index_version);

CREATE INDEX search_docs_message ON search_docs (message_content_id) WHERE message_content_id IS NOT NULL;

CREATE INDEX search_docs_briefing ON search_docs (briefing_id) WHERE briefing_id IS NOT NULL;

CREATE TABLE search_given (
  docid INTEGER NOT NULL,
  content_id INTEGER NOT NULL,
  PRIMARY KEY (docid, content_id)
) WITHOUT ROWID;

CREATE INDEX search_given_content ON search_given (content_id, docid);

CREATE TABLE search_pending (
  execution_id TEXT NOT NULL
);

CREATE VIRTUAL TABLE search_index_7 USING fts5(texts, content='', prefix='3', tokenize='unicode61');

CREATE VIRTUAL TABLE search_terms USING fts5vocab('search_index_7', 'instance');

INSERT INTO search_index_7 (search_index_7, rank) VALUES ('hashsize', 16777216);

CREATE VIRTUAL TABLE given_index_7 USING fts5(text, content='', prefix='3', tokenize='unicode61');

INSERT INTO given_index_7 (given_index_7, rank) VALUES ('hashsize', 16777216);

INSERT OR IGNORE INTO record_facts (name, value) VALUES ('index_version', '7');

CREATE TRIGGER contents_outlive_insert BEFORE INSERT ON agent_executions
BEGIN
  UPDATE contents SET encoding = 'raw', data = iif(encoding = 'run', (SELECT CAST(final_message AS BLOB) FROM agent_executions WHERE execution_id = CAST(data AS TEXT)), data)
  WHERE encoding = 'run' AND data IN (
    SELECT CAST(execution_id AS BLOB) FROM agent_executions WHERE execution_id = NEW.execution_id OR uid = NEW.uid);
END;

CREATE TRIGGER contents_outlive_update BEFORE UPDATE OF execution_id, uid, final_message ON agent_executions
WHEN NEW.final_message IS NOT OLD.final_message OR NEW.execution_id IS NOT OLD.execution_id OR NEW.uid IS NOT OLD.uid
BEGIN
  UPDATE contents SET encoding = 'raw', data = iif(encoding = 'run', (SELECT CAST(final_message AS BLOB) FROM agent_executions WHERE execution_id = CAST(data AS TEXT)), data)
  WHERE encoding = 'run' AND data IN (
    SELECT CAST(execution_id AS BLOB) FROM agent_executions WHERE execution_id = OLD.execution_id OR execution_id = NEW.execution_id OR uid = NEW.uid);
END;

CREATE TRIGGER contents_outlive_delete BEFORE DELETE ON agent_executions
BEGIN
  UPDATE contents SET encoding = 'raw', data = iif(encoding = 'run', (SELECT CAST(final_message AS BLOB) FROM agent_executions WHERE execution_id = CAST(data AS TEXT)), data)
  WHERE encoding = 'run' AND data IN (
    SELECT CAST(execution_id AS BLOB) FROM agent_executions WHERE execution_id = OLD.execution_id);
END;

CREATE TRIGGER raw_execution_insert AFTER INSERT ON agent_executions
WHEN NEW.revision = 0
BEGIN
  INSERT INTO observations (digest, execution_id, kind, source, at, payload, pending)
  VALUES (randomblob(32), NEW.execution_id, 'sql', 'sql', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    json_object('now', json_object('session_id', NEW.session_id, 'agent_type', NEW.agent_type, 'deployed_at', NEW.deployed_at, 'completed_at', NEW.completed_at, 'status', NEW.status, 'scope', NEW.scope, 'context_token_count', NEW.context_token_count, 'model', NEW.model, 'final_message', NEW.final_message, 'success', NEW.success, 'error_message', NEW.error_message)), 1);
  INSERT INTO execution_keys (key, execution_id)
  SELECT 'id:' || NEW.execution_id, NEW.execution_id WHERE NOT EXISTS (SELECT 1 FROM execution_keys WHERE key = 'id:' || NEW.execution_id);
END;

CREATE TRIGGER raw_execution_update AFTER UPDATE OF session_id, agent_type, deployed_at, completed_at, status, scope, context_token_count, model, final_message, success, error_message ON agent_executions
WHEN NEW.revision = OLD.revision
BEGIN
  INSERT INTO observations (digest, execution_id, kind, source, at, payload, pending)
  VALUES (randomblob(32), NEW.execution_id, 'sql', 'sql', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'),
    json_object('now', json((SELECT json_group_object(name, new) FROM (SELECT 'session_id' AS name, NEW.session_id AS new, OLD.session_id AS old UNION ALL SELECT 'agent_type' AS name, NEW.agent_type AS new, OLD.agent_type AS old UNION ALL SELECT 'deployed_at' AS name, NEW.deployed_at AS new, OLD.deployed_at AS old UNION ALL SELECT 'completed_at' AS name, NEW.completed_at AS new, OLD.completed_at AS old UNION ALL SELECT 'status' AS name, NEW.status AS new, OLD.status AS old UNION ALL SELECT 'scope' AS name, NEW.scope AS new, OLD.scope AS old UNION ALL SELECT 'context_token_count' AS name, NEW.context_token_count AS new, OLD.context_token_count AS old UNION ALL SELECT 'model' AS name, NEW.model AS new, OLD.model AS old UNION ALL SELECT 'final_message' AS name, NEW.final_message AS new, OLD.final_message AS old UNION ALL SELECT 'success' AS name, NEW.success AS new, OLD.success AS old UNION ALL SELECT 'error_message' AS name, NEW.error_message AS new, OLD.error_message AS old) WHERE new IS NOT old)), 'before', json((SELECT json_group_object(name, old) FROM (SELECT 'session_id' AS name, NEW.session_id AS new, OLD.session_id AS old UNION ALL SELECT 'agent_type' AS name, NEW.agent_type AS new, OLD.agent_type AS old UNION ALL SELECT 'deployed_at' AS name, NEW.deployed_at AS new, OLD.deployed_at AS old UNION ALL SELECT 'completed_at' AS name, NEW.completed_at AS new, OLD.completed_at AS old UNION ALL SELECT 'status' AS name, NEW.status AS new, OLD.status AS old UNION ALL SELECT 'scope' AS name, NEW.scope AS new, OLD.scope AS old UNION ALL SELECT 'context_token_count' AS name, NEW.context_token_count AS new, OLD.context_token_count AS old UNION ALL SELECT 'model' AS name, NEW.model AS new, OLD.model AS old UNION ALL SELECT 'final_message' AS name, NEW.final_message AS new, OLD.final_message AS old UNION ALL SELECT 'success' AS name, NEW.success AS new, OLD.success AS old UNION ALL SELECT 'error_message' AS name, NEW.error_message AS new, OLD.error_message AS old) WHERE new IS NOT old))), 1);
END;

CREATE TRIGGER note_outputs_insert AFTER INSERT ON outputs
WHEN NEW.revision = 0
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'outputs:' || NEW.execution_id;
END;

CREATE TRIGGER note_outputs_update AFTER UPDATE ON outputs
WHEN NEW.revision = OLD.revision
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'outputs:' || NEW.execution_id;
END;

CREATE TRIGGER note_outputs_delete AFTER DELETE ON outputs
WHEN OLD.revision >= 0
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'outputs:' || OLD.execution_id;
END;

CREATE TRIGGER note_context_allocations_insert AFTER INSERT ON context_allocations
WHEN NEW.revision = 0
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'allocations:' || NEW.execution_id;
END;

CREATE TRIGGER note_context_allocations_update AFTER UPDATE ON context_allocations
WHEN NEW.revision = OLD.revision
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'allocations:' || NEW.execution_id;
END;

CREATE TRIGGER note_context_allocations_delete AFTER DELETE ON context_allocations
WHEN OLD.revision >= 0
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'allocations:' || OLD.execution_id;
END;

CREATE TRIGGER note_sessions_insert AFTER INSERT ON sessions
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'session:' || NEW.uid;
END;

CREATE TRIGGER note_sessions_update AFTER UPDATE ON sessions
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'session:' || NEW.uid;
END;

CREATE TRIGGER note_sessions_delete AFTER DELETE ON sessions
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'session:' || OLD.uid;
END;

CREATE TRIGGER note_planned_agents_insert AFTER INSERT ON planned_agents
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'planned:' || NEW.uid;
END;

CREATE TRIGGER note_planned_agents_update AFTER UPDATE ON planned_agents
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'planned:' || NEW.uid;
END;

CREATE TRIGGER note_planned_agents_delete AFTER DELETE ON planned_agents
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'planned:' || OLD.uid;
END;

CREATE TRIGGER note_planned_waits_insert AFTER INSERT ON planned_waits
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'planned:' || uid FROM planned_agents WHERE planned_id = NEW.planned_id;
END;

CREATE TRIGGER note_planned_waits_update AFTER UPDATE ON planned_waits
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'planned:' || uid FROM planned_agents WHERE planned_id = NEW.planned_id;
END;

CREATE TRIGGER note_planned_waits_delete AFTER DELETE ON planned_waits
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'planned:' || uid FROM planned_agents WHERE planned_id = OLD.planned_id;
END;

CREATE TRIGGER note_bundles_insert AFTER INSERT ON bundles
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'bundle:' || NEW.uid;
END;

CREATE TRIGGER note_bundles_update AFTER UPDATE ON bundles
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'bundle:' || NEW.uid;
END;

CREATE TRIGGER note_bundles_delete AFTER DELETE ON bundles
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'bundle:' || OLD.uid;
END;

CREATE TRIGGER note_agent_executions_renamed AFTER UPDATE OF execution_id ON agent_executions
WHEN NEW.execution_id IS NOT OLD.execution_id
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'renamed:' || json_array('agent_executions', CAST(OLD.execution_id AS TEXT), CAST(NEW.execution_id AS TEXT));
END;

CREATE TRIGGER note_sessions_renamed AFTER UPDATE OF session_id ON sessions
WHEN NEW.session_id IS NOT OLD.session_id
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'renamed:' || json_array('sessions', CAST(OLD.session_id AS TEXT), CAST(NEW.session_id AS TEXT));
END;

CREATE TRIGGER note_bundles_renamed AFTER UPDATE OF bundle_id ON bundles
WHEN NEW.bundle_id IS NOT OLD.bundle_id
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'renamed:' || json_array('bundles', CAST(OLD.bundle_id AS TEXT), CAST(NEW.bundle_id AS TEXT));
END;

CREATE TRIGGER note_bundle_versions_insert AFTER INSERT ON bundle_versions
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'version:' || NEW.uid;
END;

CREATE TRIGGER note_bundle_versions_update AFTER UPDATE ON bundle_versions
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'version:' || NEW.uid;
END;

CREATE TRIGGER note_bundle_versions_delete AFTER DELETE ON bundle_versions
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'version:' || OLD.uid;
END;

CREATE TRIGGER note_bundle_items_insert AFTER INSERT ON bundle_items
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'version:' || uid FROM bundle_versions WHERE version_id = NEW.version_id;
END;

CREATE TRIGGER note_bundle_items_update AFTER UPDATE ON bundle_items
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'version:' || uid FROM bundle_versions WHERE version_id = NEW.version_id;
END;

CREATE TRIGGER note_bundle_items_delete AFTER DELETE ON bundle_items
BEGIN
  INSERT INTO changed_rows (subject) SELECT 'version:' || uid FROM bundle_versions WHERE version_id = OLD.version_id;
END;

CREATE TRIGGER journal_keeps_rows BEFORE DELETE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER journal_keeps_words BEFORE UPDATE ON journal
BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;

CREATE TRIGGER search_agent_executions_insert AFTER INSERT ON agent_executions BEGIN INSERT INTO search_pending (execution_id) SELECT NEW.execution_id WHERE NEW.execution_id IS NOT NULL; END;

CREATE TRIGGER search_agent_executions_update AFTER UPDATE OF execution_id, session_id, agent_type, deployed_at, status, scope, model, resolved_model, final_message, error_message, phase, source, briefing_id, bundle_version_id, input_tokens, output_tokens, retracted_at, unverified, run_project ON agent_executions BEGIN INSERT INTO search_pending (execution_id) SELECT OLD.execution_id WHERE OLD.execution_id IS NOT NULL; INSERT INTO search_pending (execution_id) SELECT NEW.execution_id WHERE NEW.execution_id IS NOT NULL; END;

CREATE TRIGGER search_agent_executions_delete AFTER DELETE ON agent_executions BEGIN INSERT INTO search_pending (execution_id) SELECT OLD.execution_id WHERE OLD.execution_id IS NOT NULL; END;

CREATE TRIGGER search_context_allocations_insert AFTER INSERT ON context_allocations BEGIN INSERT INTO search_pending (execution_id) SELECT NEW.execution_id WHERE NEW.execution_id IS NOT NULL; END;

CREATE TRIGGER search_context_allocations_update AFTER UPDATE OF execution_id, context_type, context_source, content_id, included_in_deployment ON context_allocations BEGIN INSERT INTO search_pending (execution_id) SELECT OLD.execution_id WHERE OLD.execution_id IS NOT NULL; INSERT INTO search_pending (execution_id) SELECT NEW.execution_id WHERE NEW.execution_id IS NOT NULL; END;

CREATE TRIGGER search_context_allocations_delete AFTER DELETE ON context_allocations BEGIN INSERT INTO search_pending (execution_id) SELECT OLD.execution_id WHERE OLD.execution_id IS NOT NULL; END;

CREATE TRIGGER search_outputs_insert AFTER INSERT ON outputs BEGIN INSERT INTO search_pending (execution_id) SELECT NEW.execution_id WHERE NEW.execution_id IS NOT NULL; END;

CREATE TRIGGER search_outputs_update AFTER UPDATE OF execution_id, output_type, content, path, retracted_at ON outputs BEGIN INSERT INTO search_pending (execution_id) SELECT OLD.execution_id WHERE OLD.execution_id IS NOT NULL; INSERT INTO search_pending (execution_id) SELECT NEW.execution_id WHERE NEW.execution_id IS NOT NULL; END;

CREATE TRIGGER search_outputs_delete AFTER DELETE ON outputs BEGIN INSERT INTO search_pending (execution_id) SELECT OLD.execution_id WHERE OLD.execution_id IS NOT NULL; END;

CREATE TRIGGER search_sessions_update
AFTER UPDATE OF project, archived_at, scope, title ON sessions
WHEN NEW.project IS NOT OLD.project OR NEW.scope IS NOT OLD.scope OR NEW.title IS NOT OLD.title
OR (NEW.archived_at IS NULL) <> (OLD.archived_at IS NULL)
BEGIN INSERT INTO search_pending (execution_id)
SELECT execution_id FROM agent_executions WHERE session_id = NEW.session_id; END;

CREATE TRIGGER search_keeps_contents_update BEFORE UPDATE OF content_id, encoding, data ON contents WHEN (EXISTS (SELECT 1 FROM search_docs WHERE message_content_id = OLD.content_id) OR EXISTS (SELECT 1 FROM search_given WHERE content_id = OLD.content_id) OR EXISTS (SELECT 1 FROM given_index_7 WHERE rowid = OLD.content_id)) AND NOT (NEW.content_id = OLD.content_id AND (OLD.encoding = 'run' AND NEW.encoding IN ('raw', 'zlib') OR OLD.encoding IN ('raw', 'zlib') AND NEW.encoding = 'run' AND OLD.size = (SELECT length(CAST(final_message AS BLOB)) FROM agent_executions WHERE execution_id = CAST(NEW.data AS TEXT)))) BEGIN SELECT RAISE(ABORT, 'contents: what is indexed for search stays as it is'); END;

CREATE TRIGGER search_keeps_contents_delete BEFORE DELETE ON contents WHEN EXISTS (SELECT 1 FROM search_docs WHERE message_content_id = OLD.content_id) OR EXISTS (SELECT 1 FROM search_given WHERE content_id = OLD.content_id) OR EXISTS (SELECT 1 FROM given_index_7 WHERE rowid = OLD.content_id) BEGIN SELECT RAISE(ABORT, 'contents: what is indexed for search stays as it is'); END;

CREATE TRIGGER search_keeps_briefings_update BEFORE UPDATE OF briefing_id, parts ON briefings WHEN EXISTS (SELECT 1 FROM search_docs WHERE briefing_id = OLD.briefing_id) BEGIN SELECT RAISE(ABORT, 'briefings: what is indexed for search stays as it is'); END;

CREATE TRIGGER search_keeps_briefings_delete BEFORE DELETE ON briefings WHEN EXISTS (SELECT 1 FROM search_docs WHERE briefing_id = OLD.briefing_id) BEGIN SELECT RAISE(ABORT, 'briefings: what is indexed for search stays as it is'); END;

CREATE VIEW IF NOT EXISTS runs AS
SELECT e.execution_id, e.session_id, coalesce(s.title, s.scope) AS session, e.agent_type, e.scope,
  e.status, e.success, e.unverified, e.final_message, e.error_message, e.deployed_at,
  e.completed_at, e.duration_ms, coalesce(resolved_model, model) AS model, e.context_token_count, e.context_end_tokens,
  e.input_tokens, e.cache_write_tokens, e.cache_read_tokens, e.output_tokens, e.cost_usd,
  e.tool_calls, e.parent_execution_id, e.worktree
FROM agent_executions AS e LEFT JOIN sessions AS s USING (session_id)
WHERE e.retracted_at IS NULL;

CREATE VIEW IF NOT EXISTS given AS
SELECT a.execution_id, e.agent_type, e.deployed_at, a.position, a.context_type, a.context_source,
  a.sections, a.priority, a.token_count, a.estimator, a.included_in_deployment
FROM context_allocations AS a JOIN agent_executions AS e USING (execution_id)
WHERE e.retracted_at IS NULL;

CREATE VIEW IF NOT EXISTS said AS
SELECT c.execution_id, e.agent_type, c.position, c.completed_at, c.status, c.success,
  c.error_message, iif(c.message_id IS e.message_id, e.final_message, NULL) AS text
FROM completions AS c JOIN agent_executions AS e USING (execution_id)
WHERE e.retracted_at IS NULL;
