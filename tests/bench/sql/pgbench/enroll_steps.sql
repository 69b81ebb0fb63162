-- The same enrollment as in enroll.sql, step by step in a transaction.
\set turn :turn + 1
\set place 990000 + :turn * :clients + :client_id
\set u 1000 + :place % 99000
\set o :u % 20
\set c :o * 100 + 1 + (:u / 20 + :place / 99000) % 98
\set at 1800000000000 + :place * 10
BEGIN;
SELECT member.organization_id, member.user_id, course.id AS course_id
FROM memberships AS member
JOIN courses AS course ON course.organization_id = member.organization_id AND course.id = bench.id('course', :c)
WHERE member.organization_id = bench.id('organization', :o) AND member.user_id = bench.id('user', :u)
    AND member.status = 'active' AND course.status = 'published'
    AND (course.seats_limit IS NULL OR course.enrolled_count + course.completed_count < course.seats_limit)
\gset
INSERT INTO course_enrollments AS former (id, user_id, course_id, organization_id, status, enrolled_at, created_at,
    updated_at, source, attempt, version, modules_total, modules_completed)
VALUES (bench.fresh_id(:at), :user_id, :course_id, :organization_id, 'enrolled', now(), now(), now(), 'self', 1, 1, 5, 0)
ON CONFLICT (user_id, course_id) DO UPDATE
    SET status = 'enrolled', cancelled_at = NULL, attempt = former.attempt + 1, version = former.version + 1,
        updated_at = now()
    WHERE former.status IN ('cancelled', 'expired')
RETURNING id AS enrollment_id \gset
INSERT INTO module_enrollments (id, organization_id, enrollment_id, user_id, module_id, enrolled_at, soft_deleted)
SELECT bench.fresh_id(CAST(:at AS bigint) + 1 + position), organization_id, CAST(:enrollment_id AS uuid),
    CAST(:user_id AS uuid), id, now(), false
FROM modules WHERE course_id = :course_id AND retired_at IS NULL;
INSERT INTO events (organization_id, number, at, kind, course_id, enrollment_id, user_id, actor_kind, actor_id,
    request_id, data)
VALUES (:organization_id, nextval('bench.event_numbers'), now(), 'enrolled', :course_id, :enrollment_id, :user_id, 'user',
    :user_id, 'pgbench', '{"status":"enrolled","attempt":1,"source":"self"}');
COMMIT;
