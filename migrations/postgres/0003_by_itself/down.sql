DROP TABLE deliveries, mail_cursors, webhooks, event_seals, leases, reminder_leads;
DROP TRIGGER append_only ON events;
DROP FUNCTION refuse_change;
DROP INDEX courses_end, certificates_end, course_enrollments_access_ends;
