-- An enrollment of one's own, and whether one is still a member, in one statement.
\set e random(0, :enrollments - 1)
\set u case when :e % 10 = 0 then :e / 10 else 1000 + (:e / 10 * 9 + :e % 10 - 1) % 99000 end
SELECT enrollment.*
FROM memberships AS member
JOIN course_enrollments AS enrollment
    ON enrollment.organization_id = member.organization_id AND enrollment.user_id = member.user_id
WHERE member.organization_id = bench.id('organization', :u % 20) AND member.user_id = bench.id('user', :u)
    AND member.status = 'active' AND enrollment.id = bench.enrollment_id(:e);
