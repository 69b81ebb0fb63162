-- An enrollment in one statement: the checks, the row, its modules, its event. It counts nothing in the course, and its
-- event's number comes from a sequence, so that, unlike Rollbook's, transactions do not wait for each other. The ids are
-- in the order of time.
\set turn :turn + 1
\set place 990000 + :turn * :clients + :client_id
\set u 1000 + :place % 99000
\set o :u % 20
\set c :o * 100 + 1 + (:u / 20 + :place / 99000) % 98
\set at 1800000000000 + :place * 10
WITH allowed AS MATERIALIZED (
    SELECT member.organization_id, member.user_id, course.id AS course_id, course.modules_total
    FROM memberships AS member
    JOIN courses AS course ON course.organization_id = member.organization_id AND course.id = bench.id('course', :c)
    WHERE member.organization_id = bench.id('organization', :o) AND member.user_id = bench.id('user', :u)
        AND member.status = 'active' AND course.status = 'published'
        AND (course.seats_limit IS NULL OR course.enrolled_count + course.completed_count < course.seats_limit)
), enrollment AS (
    INSERT INTO course_enrollments AS former (id, user_id, course_id, organization_id, status, enrolled_at, created_at,
        updated_at, source, attempt, version, modules_total, modules_completed)
    SELECT bench.fresh_id(:at), user_id, course_id, organization_id, 'enrolled', now(), now(), now(), 'self', 1, 1,
        modules_total, 0
    FROM allowed
    ON CONFLICT (user_id, course_id) DO UPDATE
        SET status = 'enrolled', cancelled_at = NULL, attempt = former.attempt + 1, version = former.version + 1,
            updated_at = now()
        WHERE former.status IN ('cancelled', 'expired')
    RETURNING *
), given AS (
    INSERT INTO module_enrollments (id, organization_id, enrollment_id, user_id, module_id, enrolled_at, soft_deleted)
    SELECT bench.fresh_id(CAST(:at AS bigint) + 1 + module.position), enrollment.organization_id, enrollment.id,
        enrollment.user_id, module.id, now(), false
    FROM enrollment JOIN modules AS module ON module.course_id = enrollment.course_id AND module.retired_at IS NULL
), told AS (
    INSERT INTO events (organization_id, number, at, kind, course_id, enrollment_id, user_id, actor_kind, actor_id,
        request_id, data)
    SELECT organization_id, nextval('bench.event_numbers'), now(), 'enrolled', course_id, id, user_id, 'user', user_id,
        'pgbench', '{"status":"enrolled","attempt":1,"source":"self"}'
    FROM enrollment
)
SELECT * FROM enrollment;
