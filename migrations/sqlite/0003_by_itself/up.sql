-- D22: how many days before access or a certificate ends people are reminded of it.
CREATE TABLE reminder_leads (
    organization_id BLOB NOT NULL REFERENCES organizations,
    days INTEGER NOT NULL CHECK (days BETWEEN 1 AND 365),
    PRIMARY KEY (organization_id, days)
) STRICT;
INSERT INTO reminder_leads (organization_id, days) SELECT id, 30 FROM organizations UNION ALL SELECT id, 7 FROM organizations;

-- What the scheduler looks for.
CREATE INDEX course_enrollments_access_ends ON course_enrollments (expires_at)
    WHERE status = 'enrolled' AND expires_at IS NOT NULL;
CREATE INDEX certificates_end ON certificates (expires_at) WHERE expires_at IS NOT NULL AND voided_at IS NULL;
CREATE INDEX courses_end ON courses (ends_at) WHERE ends_at IS NOT NULL AND waitlisted_count > 0;

-- Who of several processes does a job at present, which only saves work: each job is safe to be done by two.
CREATE TABLE leases (
    job TEXT NOT NULL PRIMARY KEY,
    holder BLOB NOT NULL,
    until INTEGER NOT NULL
) STRICT;

-- The log only grows.
CREATE TRIGGER events_are_not_updated BEFORE UPDATE ON events
BEGIN
    SELECT RAISE(ABORT, 'events is append-only');
END;
CREATE TRIGGER events_are_not_deleted BEFORE DELETE ON events
BEGIN
    SELECT RAISE(ABORT, 'events is append-only');
END;

-- A chain over each organization's log: a digest of an event and of all before it. What was altered afterwards, or is
-- gone, does not fit it any more.
CREATE TABLE event_seals (
    organization_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    digest BLOB NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (organization_id, number)
) STRICT;
CREATE TRIGGER event_seals_are_not_updated BEFORE UPDATE ON event_seals
BEGIN
    SELECT RAISE(ABORT, 'event_seals is append-only');
END;
CREATE TRIGGER event_seals_are_not_deleted BEFORE DELETE ON event_seals
BEGIN
    SELECT RAISE(ABORT, 'event_seals is append-only');
END;

-- Where an organization's events are sent. The secret signs what is sent; the cursor is the last event that was looked
-- at for this webhook.
CREATE TABLE webhooks (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    url TEXT NOT NULL,
    kinds TEXT,
    secret TEXT NOT NULL,
    cursor INTEGER NOT NULL,
    -- How often in a row its receiver was not well, and when it is tried again.
    failures INTEGER NOT NULL DEFAULT 0,
    retry_at INTEGER,
    disabled_at INTEGER,
    deleted_at INTEGER,
    created_at INTEGER NOT NULL,
    CONSTRAINT webhooks_organization_key UNIQUE (organization_id, id)
) STRICT;
CREATE INDEX webhooks_organization ON webhooks (organization_id, id) WHERE deleted_at IS NULL;

-- The last event of each organization that was looked at for mail.
CREATE TABLE mail_cursors (
    organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations,
    cursor INTEGER NOT NULL
) STRICT;
INSERT INTO mail_cursors (organization_id, cursor) SELECT organization_id, last_number FROM event_heads;

-- What is to be sent of one event: to one webhook, or by mail to the person it is about. Whoever sends it claims it first.
CREATE TABLE deliveries (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL,
    channel TEXT NOT NULL CHECK (channel IN ('webhook', 'mail')),
    webhook_id BLOB,
    event_number INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'claimed', 'delivered', 'dead')),
    attempts INTEGER NOT NULL CHECK (attempts >= 0),
    due_at INTEGER NOT NULL,
    problem TEXT,
    CONSTRAINT webhook_where_it_is_one CHECK ((channel = 'webhook') = (webhook_id IS NOT NULL)),
    CONSTRAINT organization_consistency_webhook FOREIGN KEY (organization_id, webhook_id)
        REFERENCES webhooks (organization_id, id),
    CONSTRAINT organization_consistency_event FOREIGN KEY (organization_id, event_number)
        REFERENCES events (organization_id, number)
) STRICT;
CREATE UNIQUE INDEX deliveries_webhook ON deliveries (webhook_id, event_number) WHERE channel = 'webhook';
CREATE UNIQUE INDEX deliveries_mail ON deliveries (organization_id, event_number) WHERE channel = 'mail';
CREATE INDEX deliveries_claimed ON deliveries (webhook_id) WHERE state = 'claimed';
CREATE INDEX deliveries_settled ON deliveries (due_at) WHERE state IN ('delivered', 'dead');
-- A claimed one is due again when its claim is given up.
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state IN ('pending', 'claimed');
