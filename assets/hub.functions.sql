-- What a hub does for its members with rights that they do not have themselves: taking away.
-- Run by its owner, again and again: `orch hub admin init` and `migrate`.

-- Tells whether a text is another one with stretches replaced by [redacted], and nothing else: nobody
-- puts words into another's mouth. The hash of a text that is gone may have become another.
CREATE OR REPLACE FUNCTION is_redaction(held text, cleaned text) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT AS $$
DECLARE
  pattern text := replace(replace(replace(cleaned, '\', '\\'), '%', '\%'), '_', '\_');
  hash text;
BEGIN
  pattern := replace(pattern, '[redacted]', '%');
  FOR hash IN SELECT DISTINCT hash_in[1] FROM regexp_matches(cleaned, '"([0-9a-f]{64})"', 'g') AS hash_in
  LOOP
    IF position(hash IN held) = 0 THEN
      pattern := replace(pattern, hash, '%');
    END IF;
  END LOOP;
  IF held NOT LIKE pattern THEN
    RETURN false;
  END IF;
  RETURN NOT EXISTS (
    SELECT 1 FROM regexp_matches(held, '"([0-9a-f]{64})"', 'g') AS hash_in
    WHERE position(hash_in[1] IN cleaned) = 0
      AND NOT EXISTS (SELECT 1 FROM gone WHERE digest = decode(hash_in[1], 'hex')));
END $$;

-- Members may redact whatever stands in the hub; it is noted who did. Who only pushes may redact
-- what it said itself.
CREATE OR REPLACE FUNCTION may_redact(which bytea) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
  SELECT pg_has_role(session_user, 'orch_reader', 'member') OR EXISTS (
    SELECT 1 FROM log JOIN origins USING (origin_id)
    WHERE log.recognition = which AND person = session_user)
$$;

-- Replaces a body of a statement by the same one without a secret, at every level that holds it.
-- Gives how many rows changed.
CREATE OR REPLACE FUNCTION redact_statement(which bytea, of_digest bytea, cleaned text)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  held text;
BEGIN
  SELECT body INTO held FROM statements
    WHERE recognition = which AND digest = of_digest LIMIT 1 FOR UPDATE;
  IF held IS NULL OR held = cleaned THEN
    RETURN 0;
  END IF;
  IF NOT may_redact(which) THEN
    RAISE insufficient_privilege USING MESSAGE = 'only members redact what others said';
  END IF;
  IF NOT is_redaction(held, cleaned) THEN
    RAISE check_violation USING MESSAGE = 'a redaction takes away and does nothing else';
  END IF;
  UPDATE statements SET body = cleaned, redacted = true
    WHERE recognition = which AND digest = of_digest;
  DELETE FROM about WHERE recognition = which AND position(to_json(key)::text IN cleaned) = 0;
  INSERT INTO gone (digest, kind) VALUES (which, 'statement') ON CONFLICT DO NOTHING;
  RETURN 1;
END $$;

-- Leaves of a content or briefing its hash, which keeps it from coming back, whoever still has it.
CREATE OR REPLACE FUNCTION redact_text(which bytea, named text, replacement bytea)
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
  IF NOT pg_has_role(session_user, 'orch_reader', 'member') THEN
    RAISE insufficient_privilege USING MESSAGE = 'only members redact texts';
  END IF;
  IF named = 'content' THEN
    INSERT INTO contents (sha256, size, encoding) VALUES (which, 0, 'gone')
      ON CONFLICT (sha256) DO UPDATE SET encoding = 'gone', data = NULL;
    DELETE FROM content_search WHERE sha256 = which;
  ELSE
    INSERT INTO briefings (sha256, size, level, parts) VALUES (which, 0, 3, '[]')
      ON CONFLICT (sha256) DO UPDATE SET parts = '[]';
  END IF;
  INSERT INTO gone (digest, kind, replaced_by) VALUES (which, named, replacement)
    ON CONFLICT (digest) DO UPDATE
      SET replaced_by = coalesce(gone.replaced_by, excluded.replaced_by);
  RETURN 1;
END $$;

-- Takes away the texts that an origin has forgotten and that no other origin names. Gives how many.
CREATE OR REPLACE FUNCTION forget_texts(of_origin bigint, texts bytea[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
  doomed bytea[];
  many integer;
BEGIN
  IF NOT EXISTS (SELECT 1 FROM origins WHERE origin_id = of_origin AND person = session_user) THEN
    RAISE insufficient_privilege USING MESSAGE = 'nobody forgets what others were given';
  END IF;
  doomed := ARRAY(
    SELECT unnest(texts) EXCEPT
    SELECT decode(hash_in[1], 'hex')
    FROM statements AS said
    CROSS JOIN LATERAL regexp_matches(said.body, '"([0-9a-f]{64})"', 'g') AS hash_in
    WHERE EXISTS (SELECT 1 FROM log
      WHERE log.recognition = said.recognition AND log.origin_id <> of_origin));
  DELETE FROM content_search WHERE sha256 = ANY (doomed);
  UPDATE briefings SET parts = '[]' WHERE sha256 = ANY (doomed);
  UPDATE contents SET encoding = 'gone', data = NULL
    WHERE sha256 = ANY (doomed) AND encoding <> 'gone';
  GET DIAGNOSTICS many = ROW_COUNT;
  RETURN many;
END $$;
