-- What a benchmark finds: {enrollments} enrollments of 100,000 people in 2,000 courses of 20 organizations. All of it
-- follows from numbers, so that whoever knows a number knows the row; src/data.rs reckons the same ids and places.
--
--   organization  o   0 … 19
--   user          u   0 … 99,999   of organization u % 20; u / 20 is 0 for its admin, 1 … 49 for its coordinators, and
--                                  more for its learners
--   course        c   0 … 1,999    of organization c / 100; c % 100 is 0 for the one that everybody is in, 99 for a
--                                  draft, and in between for all others
--   enrollment    e   0 …          in the order of time, one every 20 seconds of the year 2025; every tenth in the course
--                                  that everybody is in, the others spread evenly

SET session_replication_role = replica;
CREATE EXTENSION pg_prewarm;

CREATE SCHEMA bench;

CREATE FUNCTION bench.id(kind text, number bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CAST(md5(kind || ' ' || CAST(number AS text)) AS uuid);

-- As the product's own ids, this begins with milliseconds, so that later rows have greater ones.
CREATE FUNCTION bench.id_in_time(kind text, number bigint, milliseconds bigint) RETURNS uuid
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CAST(lpad(to_hex(milliseconds), 12, '0') || '7' || substr(md5(kind || ' ' || CAST(number AS text)), 1, 3)
    || '8' || substr(md5(kind || ' ' || CAST(number AS text)), 4, 15) AS uuid);

CREATE FUNCTION bench.enrollment_id(e bigint) RETURNS uuid LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN bench.id_in_time('enrollment', e, 1735689600000 + e * 20000);

INSERT INTO organizations (id, slug, name, created_at)
SELECT bench.id('organization', o), 'org-' || o, 'Organization ' || o, '2024-01-01T00:00:00Z'
FROM generate_series(0, 19) AS o;

INSERT INTO mail_cursors (organization_id, cursor) SELECT id, 0 FROM organizations;
INSERT INTO reminder_leads (organization_id, days)
SELECT id, days FROM organizations CROSS JOIN (VALUES (30), (7)) AS usual (days);

INSERT INTO identity_providers (id, organization_id, issuer, audience, algorithm, role_claim, created_at)
SELECT bench.id('provider', o), bench.id('organization', o), 'http://127.0.0.1/org-' || o, 'rollbook', 'ES256', 'role',
    '2024-01-01T00:00:00Z'
FROM generate_series(0, 19) AS o;

INSERT INTO development_keys (organization_id, identity_provider_id, key_id, private_key)
SELECT bench.id('organization', o), bench.id('provider', o), 'bench', '{private_key}' FROM generate_series(0, 19) AS o;

INSERT INTO users (id, display_name, email, global_admin, created_at)
SELECT bench.id('user', u), 'Learner Number ' || u, 'user' || u || '@org-' || u % 20 || '.example', false,
    '2024-02-01T00:00:00Z'
FROM generate_series(0, 99999) AS u;

INSERT INTO identities (organization_id, identity_provider_id, subject, user_id, created_at)
SELECT bench.id('organization', u % 20), bench.id('provider', u % 20), 'user-' || u, bench.id('user', u),
    '2024-02-01T00:00:00Z'
FROM generate_series(0, 99999) AS u;

INSERT INTO memberships (organization_id, user_id, role, status, created_at, updated_at)
SELECT bench.id('organization', u % 20), bench.id('user', u),
    CASE WHEN u / 20 = 0 THEN 'admin' WHEN u / 20 < 50 THEN 'coordinator' ELSE 'learner' END, 'active',
    '2024-02-01T00:00:00Z', '2024-02-01T00:00:00Z'
FROM generate_series(0, 99999) AS u;

INSERT INTO modules (id, organization_id, course_id, title, kind, position, created_at)
SELECT bench.id('module', c * 5 + position), bench.id('organization', c / 100), bench.id('course', c),
    'Module ' || position, 'lesson', position, '2024-03-01T00:00:00Z'
FROM generate_series(0, 1999) AS c CROSS JOIN generate_series(0, 4) AS position;

-- Indexes and constraints of the large tables are made anew once the rows are there: that is faster, and proves them.
CREATE TABLE bench.removed (place integer GENERATED ALWAYS AS IDENTITY, definition text NOT NULL);
DO $$
DECLARE
    large regclass[] := ARRAY['course_enrollments', 'module_enrollments', 'events'];
    found record;
BEGIN
    FOR found IN
        SELECT conname AS name, conrelid::regclass AS relation, pg_get_constraintdef(oid) AS definition FROM pg_constraint
        WHERE contype IN ('f', 'p', 'u') AND (conrelid = ANY (large) OR confrelid = ANY (large))
        -- Foreign keys rest on the others.
        ORDER BY contype
    LOOP
        INSERT INTO bench.removed (definition)
        VALUES (format('ALTER TABLE %s ADD CONSTRAINT %I %s', found.relation, found.name, found.definition));
        EXECUTE format('ALTER TABLE %s DROP CONSTRAINT %I', found.relation, found.name);
    END LOOP;
    FOR found IN
        SELECT indexrelid::regclass AS name, pg_get_indexdef(indexrelid) AS definition FROM pg_index
        WHERE indrelid = ANY (large)
    LOOP
        INSERT INTO bench.removed (definition) VALUES (found.definition);
        EXECUTE format('DROP INDEX %s', found.name);
    END LOOP;
END $$;

CREATE UNLOGGED TABLE bench.preloaded AS
SELECT e, u, c, status, enrolled_at, ended_at
FROM (
    -- As in src/data.rs.
    SELECT e, CASE WHEN e % 10 = 0 THEN e / 10 ELSE 1000 + spread % 99000 END AS u, spread / 99000 AS lap,
        timestamptz '2025-01-01T00:00:00Z' + e * interval '20 seconds' AS enrolled_at,
        CAST(CAST('x' || substr(md5('status ' || e), 1, 7) AS bit(28)) AS integer) % 100 AS lot
    FROM (
        SELECT e, e / 10 * 9 + e % 10 - 1 AS spread FROM generate_series(CAST(0 AS bigint), {enrollments} - 1) AS e
    ) AS numbered
) AS person
CROSS JOIN LATERAL (
    SELECT u % 20 * 100 + CASE WHEN e % 10 = 0 THEN 0 ELSE 1 + (u / 20 + lap) % 98 END AS c,
        CASE WHEN lot < 85 THEN 'enrolled' WHEN lot < 93 THEN 'completed' WHEN lot < 98 THEN 'cancelled' ELSE 'expired' END
            AS status,
        CASE WHEN lot >= 85 THEN enrolled_at + interval '10 days' END AS ended_at
) AS place;

INSERT INTO courses (id, organization_id, title, status, waitlist, certificate, enrollment_mode, auto_complete,
    modules_total, enrolled_count, waitlisted_count, completed_count, cancelled_count, expired_count, version, published_at,
    created_at, updated_at)
SELECT bench.id('course', course), bench.id('organization', course / 100),
    'Course ' || course % 100 || ' of organization ' || course / 100,
    CASE WHEN course % 100 = 99 THEN 'draft' ELSE 'published' END, true, false, 'open', true, 5,
    count(*) FILTER (WHERE preloaded.status = 'enrolled'), 0, count(*) FILTER (WHERE preloaded.status = 'completed'),
    count(*) FILTER (WHERE preloaded.status = 'cancelled'), count(*) FILTER (WHERE preloaded.status = 'expired'), 1,
    CASE WHEN course % 100 <> 99 THEN timestamptz '2024-03-01T00:00:00Z' END, '2024-03-01T00:00:00Z',
    '2024-03-01T00:00:00Z'
FROM generate_series(0, 1999) AS course LEFT JOIN bench.preloaded ON c = course
GROUP BY course;

INSERT INTO course_enrollments (id, user_id, course_id, organization_id, status, enrolled_at, completed_at, cancelled_at,
    completion_score, created_at, updated_at, source, expires_at, attempt, version, modules_total, modules_completed,
    tombstone)
SELECT bench.enrollment_id(e), bench.id('user', u), bench.id('course', c), bench.id('organization', u % 20), status,
    enrolled_at, CASE WHEN status = 'completed' THEN ended_at END, CASE WHEN status = 'cancelled' THEN ended_at END,
    CASE WHEN status = 'completed' THEN 60 + e % 41 END, enrolled_at, coalesce(ended_at, enrolled_at), 'self',
    CASE WHEN status = 'expired' THEN ended_at END, 1, CASE WHEN status = 'enrolled' THEN 1 ELSE 2 END, 5,
    CASE WHEN status = 'completed' THEN 5 ELSE 0 END, status = 'cancelled'
FROM bench.preloaded ORDER BY e;

INSERT INTO module_enrollments (id, organization_id, enrollment_id, user_id, module_id, enrolled_at, started_at,
    completed_at, soft_deleted, removed_because)
SELECT bench.id_in_time('module enrollment', e * 5 + position, 1735689600000 + e * 20000 + position),
    bench.id('organization', u % 20), bench.enrollment_id(e), bench.id('user', u), bench.id('module', c * 5 + position),
    enrolled_at, CASE WHEN status = 'completed' THEN enrolled_at END, CASE WHEN status = 'completed' THEN ended_at END,
    status = 'cancelled', CASE WHEN status = 'cancelled' THEN 'enrollmentCancelled' END
FROM bench.preloaded CROSS JOIN generate_series(0, 4) AS position ORDER BY e, position;

INSERT INTO events (organization_id, number, at, kind, course_id, enrollment_id, user_id, actor_kind, actor_id, request_id,
    data)
SELECT bench.id('organization', u % 20), row_number() OVER (PARTITION BY u % 20 ORDER BY at, e, kind DESC), at, kind,
    bench.id('course', c), bench.enrollment_id(e), bench.id('user', u),
    CASE WHEN kind = 'expired' THEN 'system' ELSE 'user' END, CASE WHEN kind <> 'expired' THEN bench.id('user', u) END,
    'bench-' || e, data
FROM (
    SELECT e, u, c, enrolled_at AS at, 'enrolled' AS kind, '{"status":"enrolled","attempt":1,"source":"self"}' AS data
    FROM bench.preloaded
    UNION ALL
    SELECT e, u, c, ended_at, status, '{"from":"enrolled","status":"' || status || '","attempt":1}'
    FROM bench.preloaded WHERE status <> 'enrolled'
) AS told
ORDER BY at, e;

INSERT INTO event_heads (organization_id, last_number)
SELECT id, coalesce((SELECT max(number) FROM events WHERE organization_id = id), 0) FROM organizations;
-- Nobody is written to about what is long past.
UPDATE mail_cursors SET cursor = last_number FROM event_heads
WHERE event_heads.organization_id = mail_cursors.organization_id;

DROP TABLE bench.preloaded;

DO $$
DECLARE
    definition text;
BEGIN
    FOR definition IN SELECT removed.definition FROM bench.removed ORDER BY place DESC LOOP
        EXECUTE definition;
    END LOOP;
END $$;
DROP TABLE bench.removed;

-- For statements that number their events themselves.
CREATE SEQUENCE bench.event_numbers START 100000000;

-- A new id in the order of time, cheaply.
CREATE FUNCTION bench.fresh_id(milliseconds bigint) RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE
RETURN CAST(encode(
    overlay(uuid_send(gen_random_uuid()) PLACING substring(int8send(milliseconds) FROM 3) FROM 1 FOR 6), 'hex'
) AS uuid);
