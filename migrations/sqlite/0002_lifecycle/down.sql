DROP TABLE cohort_courses;
DROP TABLE cohort_members;
DROP TABLE cohorts;
DROP TRIGGER organization_consistency_certificate;
DROP TRIGGER organization_consistency_new_certificate;
DROP TABLE certificates;
ALTER TABLE course_enrollments DROP COLUMN tombstone;
ALTER TABLE courses DROP COLUMN seats_limit;
