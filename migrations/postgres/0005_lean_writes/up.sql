-- What each enrollment has to pay for although it needs it not.

-- Few enrollments have a certificate; the others need no place in its index.
ALTER TABLE course_enrollments DROP CONSTRAINT course_enrollments_certificate_key;
CREATE UNIQUE INDEX course_enrollments_certificate_key ON course_enrollments (certificate_id)
    WHERE certificate_id IS NOT NULL;

-- An event's enrollment is in its organization, and so is the organization there.
ALTER TABLE events DROP CONSTRAINT events_organization_id_fkey;
