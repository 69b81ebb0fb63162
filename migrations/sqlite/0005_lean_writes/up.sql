-- PostgreSQL's alone: there, enrollments without a certificate leave its index, and events lose a foreign key that follows
-- from another.
SELECT 1;
