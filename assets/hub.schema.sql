-- The tables of a hub. Written by `make schema`; do not edit.
CREATE TABLE hub (
  one BOOLEAN NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
  uid TEXT NOT NULL DEFAULT gen_random_uuid()::text,
  version SMALLINT NOT NULL,
  min_reader SMALLINT NOT NULL,
  min_writer SMALLINT NOT NULL,
  made_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE hub_secret (
  one BOOLEAN NOT NULL PRIMARY KEY DEFAULT true CHECK (one),
  key BYTEA NOT NULL DEFAULT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
);

CREATE TABLE origins (
  origin_id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL PRIMARY KEY,
  uid TEXT NOT NULL,
  person TEXT NOT NULL DEFAULT session_user,
  declared TEXT,
  machine TEXT NOT NULL,
  name TEXT NOT NULL,
  client TEXT NOT NULL,
  began_at TIMESTAMPTZ,
  sends SMALLINT NOT NULL DEFAULT 0,
  last_seq BIGINT NOT NULL DEFAULT 0,
  redactions BIGINT NOT NULL DEFAULT 0,
  retold BIGINT NOT NULL DEFAULT 0,
  seen_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE UNIQUE INDEX origins_uid ON origins (uid);

CREATE UNIQUE INDEX origins_name ON origins (name);

CREATE TABLE statements (
  recognition BYTEA NOT NULL,
  level SMALLINT NOT NULL CHECK (level BETWEEN 1 AND 3),
  digest BYTEA NOT NULL,
  kind TEXT NOT NULL,
  at TIMESTAMPTZ,
  body TEXT NOT NULL,
  redacted BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (recognition, level, digest),
  CHECK (redacted OR digest = sha256(convert_to(body, 'UTF8')))
);

CREATE TABLE log (
  origin_id BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  recognition BYTEA NOT NULL,
  PRIMARY KEY (origin_id, seq),
  FOREIGN KEY (origin_id) REFERENCES origins (origin_id)
);

CREATE UNIQUE INDEX log_origin_id_recognition ON log (origin_id, recognition);

CREATE TABLE about (
  key TEXT NOT NULL,
  recognition BYTEA NOT NULL,
  PRIMARY KEY (key, recognition)
);

CREATE INDEX about_recognition ON about (recognition);

CREATE TABLE contents (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  content_id BIGINT NOT NULL GENERATED ALWAYS AS IDENTITY,
  size INTEGER NOT NULL,
  encoding TEXT NOT NULL CHECK (encoding IN ('raw', 'zlib', 'gone')),
  data BYTEA,
  CHECK ((data IS NULL) = (encoding = 'gone'))
);

CREATE UNIQUE INDEX contents_content_id ON contents (content_id);

CREATE TABLE briefings (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  level SMALLINT NOT NULL CHECK (level BETWEEN 1 AND 3),
  parts TEXT NOT NULL
);

CREATE TABLE gone (
  digest BYTEA NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL CHECK (kind IN ('content', 'briefing', 'statement')),
  replaced_by BYTEA,
  by TEXT NOT NULL DEFAULT session_user,
  at TIMESTAMPTZ NOT NULL DEFAULT now()
);

CREATE TABLE runs (
  run_id BIGINT GENERATED ALWAYS AS IDENTITY NOT NULL PRIMARY KEY,
  uid TEXT NOT NULL,
  origin_id BIGINT NOT NULL,
  project TEXT,
  at TIMESTAMPTZ NOT NULL,
  completed_at TIMESTAMPTZ,
  person TEXT NOT NULL DEFAULT session_user,
  machine TEXT NOT NULL,
  label TEXT NOT NULL,
  session TEXT,
  agent TEXT NOT NULL,
  status TEXT,
  ending TEXT,
  went_well BOOLEAN,
  unverified TEXT,
  source TEXT,
  phase SMALLINT,
  depth SMALLINT,
  model TEXT,
  client_version TEXT,
  bundle_version TEXT,
  given_tokens INTEGER,
  ambient_tokens INTEGER,
  context_end_tokens INTEGER,
  input_tokens BIGINT,
  cache_write_tokens BIGINT,
  cache_read_tokens BIGINT,
  output_tokens BIGINT,
  tool_calls INTEGER,
  duration_ms BIGINT,
  cost_usd DOUBLE PRECISION,
  archived BOOLEAN NOT NULL DEFAULT false,
  retracted BOOLEAN NOT NULL DEFAULT false,
  said BYTEA,
  made_of BYTEA NOT NULL,
  rules SMALLINT NOT NULL,
  FOREIGN KEY (origin_id) REFERENCES origins (origin_id)
);

CREATE UNIQUE INDEX runs_uid ON runs (uid);

CREATE TABLE run_texts (
  run_id BIGINT NOT NULL PRIMARY KEY,
  scope TEXT,
  message TEXT,
  error TEXT,
  other TEXT,
  FOREIGN KEY (run_id) REFERENCES runs (run_id) ON DELETE CASCADE
);

CREATE TABLE search (
  run_id BIGINT NOT NULL,
  at TIMESTAMPTZ NOT NULL,
  words TSVECTOR NOT NULL,
  archived BOOLEAN NOT NULL DEFAULT false,
  PRIMARY KEY (run_id, at)
) PARTITION BY RANGE (at);

CREATE TABLE content_search (
  sha256 BYTEA NOT NULL PRIMARY KEY,
  words TSVECTOR NOT NULL
);

ALTER TABLE contents ALTER data SET STORAGE EXTERNAL;

CREATE INDEX runs_by_time ON runs (at DESC, run_id DESC);

CREATE INDEX runs_of_project ON runs (project, at DESC, run_id DESC);

CREATE INDEX search_by_words ON search USING gin (words) WITH (fastupdate = off);

CREATE INDEX search_by_time ON search (at DESC, run_id DESC);

CREATE INDEX content_search_by_words ON content_search USING gin (words) WITH (fastupdate = off);

CREATE TABLE search_other PARTITION OF search DEFAULT;

INSERT INTO hub (version, min_reader, min_writer) VALUES (1, 1, 1);

INSERT INTO hub_secret DEFAULT VALUES;
