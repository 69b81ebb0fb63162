ALTER TABLE events ADD FOREIGN KEY (organization_id) REFERENCES organizations;
DROP INDEX course_enrollments_certificate_key;
ALTER TABLE course_enrollments ADD CONSTRAINT course_enrollments_certificate_key UNIQUE (certificate_id);
