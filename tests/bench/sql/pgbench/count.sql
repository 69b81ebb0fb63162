-- How many are in a course, as it is counted there, and whether the reader is staff, in one statement.
\set o random(0, 19)
\set u random(1, 49) * 20 + :o
SELECT course.enrolled_count, course.waitlisted_count, course.completed_count, course.cancelled_count,
    course.expired_count, course.capacity
FROM memberships AS member
JOIN courses AS course ON course.organization_id = member.organization_id AND course.id = bench.id('course', :o * 100)
WHERE member.organization_id = bench.id('organization', :o) AND member.user_id = bench.id('user', :u)
    AND member.status = 'active' AND member.role <> 'learner';
