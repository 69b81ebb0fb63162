-- A page of 50 of a roster (and whether there are more), its learners' names, and whether the reader is staff, in one
-- statement.
\set o random(0, 19)
\set u random(1, 49) * 20 + :o
WITH allowed AS MATERIALIZED (
    SELECT course.organization_id, course.id
    FROM memberships AS member
    JOIN courses AS course ON course.organization_id = member.organization_id AND course.id = bench.id('course', :o * 100)
    WHERE member.organization_id = bench.id('organization', :o) AND member.user_id = bench.id('user', :u)
        AND member.status = 'active' AND member.role <> 'learner'
)
SELECT page.*, person.display_name
FROM allowed
CROSS JOIN LATERAL (
    SELECT * FROM course_enrollments AS enrollment
    -- Written so that no index of the organization is used, and the one in the order of the page is.
    WHERE enrollment.course_id = allowed.id AND (enrollment.organization_id = allowed.organization_id) IS TRUE
        AND enrollment.id > CAST(:after AS uuid)
    ORDER BY enrollment.id LIMIT 51
) AS page
JOIN users AS person ON person.id = page.user_id
ORDER BY page.id;
