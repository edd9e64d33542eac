-- The tables of a store in PostgreSQL, format 1. docs/store-format.md says what they hold.

CREATE TABLE sx.state (
    single boolean PRIMARY KEY DEFAULT true CHECK (single),
    -- The number of the last batch, and of the last one whose changes are no longer kept.
    revision bigint NOT NULL DEFAULT 0,
    forgotten bigint NOT NULL DEFAULT 0,
    -- How many batches' changes are kept for those who were away.
    kept bigint NOT NULL DEFAULT 100000
);
INSERT INTO sx.state DEFAULT VALUES;

CREATE TABLE sx.kv (key bytea PRIMARY KEY, value bytea NOT NULL);

CREATE TABLE sx.streams (
    name bytea PRIMARY KEY,
    id bigint NOT NULL UNIQUE GENERATED ALWAYS AS IDENTITY,
    events bigint NOT NULL,
    last_seq bigint NOT NULL
);

CREATE TABLE sx.events (
    stream bigint NOT NULL REFERENCES sx.streams (id),
    seq bigint NOT NULL,
    bytes bytea NOT NULL,
    PRIMARY KEY (stream, seq)
);

CREATE TABLE sx.blobs (digest bytea PRIMARY KEY, bytes bytea NOT NULL);

-- What each batch changed, in order. kind: 0 put, 1 delete, 2 append, 3 truncate.
CREATE TABLE sx.changes (
    revision bigint NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    kind smallint NOT NULL,
    name bytea NOT NULL,
    seq bigint NOT NULL,
    PRIMARY KEY (revision, place)
);

-- The last group of each process that writes, with its answer: a process that lost its
-- connection asks again, and nothing happens twice.
CREATE SEQUENCE sx.writer;
CREATE TABLE sx.writers (
    writer bigint PRIMARY KEY,
    number bigint NOT NULL,
    failed integer[] NOT NULL,
    revisions bigint[] NOT NULL,
    seqs bigint[] NOT NULL,
    at timestamptz NOT NULL DEFAULT now()
);

-- Makes a group of batches happen, or answers as it did when the group came before.
--
-- The arrays hold one row for each step. kind: 0 a batch begins, 1 a key has this value or none,
-- 2 a log has this last number, 3 put, 4 delete, 5 append, 6 truncate, 7 raise, 8 blob (its
-- digest in names). The answer: for each batch the check that did not hold or -1, and its
-- revision; the numbers of all events in order.
CREATE FUNCTION sx.apply(
    the_writer bigint, the_number bigint,
    kinds smallint[], names bytea[], byteas bytea[], numbers bigint[]
) RETURNS TABLE (failed integer[], revisions bigint[], seqs bigint[])
LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
    step record;
    now_at bigint;
    before bigint;
    bad integer[] := '{}';
    given bigint[] := '{}';
    appended bigint[] := '{}';
    batches integer := 0;
    checks integer := 0;
    holds boolean := false;
    found_value bytea;
    found_number bigint;
    the_stream bigint;
    gone bigint;
BEGIN
    -- One group at a time, so that revisions are in the order of commits.
    SELECT s.revision INTO now_at FROM sx.state s FOR UPDATE;
    before := now_at;
    RETURN QUERY SELECT w.failed, w.revisions, w.seqs FROM sx.writers w
        WHERE w.writer = the_writer AND w.number = the_number;
    IF FOUND THEN
        RETURN;
    END IF;
    -- Given up by its process, and here at last: too late.
    IF EXISTS (SELECT FROM sx.writers w WHERE w.writer = the_writer AND w.number > the_number) THEN
        RETURN;
    END IF;
    FOR step IN SELECT * FROM unnest(kinds, names, byteas, numbers) AS u (kind, name, bytes, number) LOOP
        IF step.kind = 0 THEN
            batches := batches + 1;
            checks := 0;
            holds := true;
            now_at := now_at + 1;
            bad := bad || -1;
            given := given || now_at;
        ELSIF NOT holds THEN
            CONTINUE;
        ELSIF step.kind = 1 THEN
            SELECT k.value INTO found_value FROM sx.kv k WHERE k.key = step.name;
            IF NOT FOUND THEN
                found_value := NULL;
            END IF;
            holds := found_value IS NOT DISTINCT FROM step.bytes;
        ELSIF step.kind = 2 THEN
            SELECT s.last_seq INTO found_number FROM sx.streams s WHERE s.name = step.name;
            IF NOT FOUND THEN
                found_number := 0;
            END IF;
            holds := found_number = step.number;
        ELSIF step.kind = 3 THEN
            INSERT INTO sx.kv (key, value) VALUES (step.name, step.bytes)
                ON CONFLICT (key) DO UPDATE SET value = excluded.value;
            INSERT INTO sx.changes (revision, kind, name, seq) VALUES (now_at, 0, step.name, 0);
        ELSIF step.kind = 4 THEN
            DELETE FROM sx.kv k WHERE k.key = step.name;
            INSERT INTO sx.changes (revision, kind, name, seq) VALUES (now_at, 1, step.name, 0);
        ELSIF step.kind = 5 THEN
            INSERT INTO sx.streams AS s (name, events, last_seq) VALUES (step.name, 1, 1)
                ON CONFLICT (name) DO UPDATE SET events = s.events + 1, last_seq = s.last_seq + 1
                RETURNING s.id, s.last_seq INTO the_stream, found_number;
            INSERT INTO sx.events (stream, seq, bytes) VALUES (the_stream, found_number, step.bytes);
            INSERT INTO sx.changes (revision, kind, name, seq) VALUES (now_at, 2, step.name, found_number);
            appended := appended || found_number;
        ELSIF step.kind = 6 THEN
            DELETE FROM sx.events e USING sx.streams s
                WHERE s.name = step.name AND e.stream = s.id AND e.seq <= step.number;
            GET DIAGNOSTICS gone = ROW_COUNT;
            UPDATE sx.streams s SET events = s.events - gone WHERE s.name = step.name;
            INSERT INTO sx.changes (revision, kind, name, seq) VALUES (now_at, 3, step.name, 0);
        ELSIF step.kind = 7 THEN
            INSERT INTO sx.streams AS s (name, events, last_seq) VALUES (step.name, 0, step.number)
                ON CONFLICT (name) DO UPDATE SET last_seq = greatest(s.last_seq, excluded.last_seq);
        ELSIF step.kind = 8 THEN
            INSERT INTO sx.blobs (digest, bytes) VALUES (step.name, step.bytes) ON CONFLICT DO NOTHING;
        END IF;
        IF step.kind IN (1, 2) THEN
            IF NOT holds THEN
                bad[batches] := checks;
                now_at := now_at - 1;
            END IF;
            checks := checks + 1;
        END IF;
    END LOOP;
    INSERT INTO sx.writers AS w (writer, number, failed, revisions, seqs)
        VALUES (the_writer, the_number, bad, given, appended)
        ON CONFLICT (writer) DO UPDATE SET
            number = excluded.number, failed = excluded.failed, revisions = excluded.revisions,
            seqs = excluded.seqs, at = now();
    IF now_at > before THEN
        UPDATE sx.state SET revision = now_at;
        PERFORM pg_notify('sx_changes', now_at::text);
        -- Every thousandth batch clears away.
        IF now_at / 1000 > before / 1000 THEN
            UPDATE sx.state SET forgotten = greatest(forgotten, now_at - kept);
            DELETE FROM sx.changes c USING sx.state s WHERE c.revision <= s.forgotten;
        END IF;
    END IF;
    RETURN QUERY SELECT bad, given, appended;
END
$$;
