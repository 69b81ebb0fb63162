-- D22: how many days before access or a certificate ends people are reminded of it.
CREATE TABLE reminder_leads (
    organization_id uuid NOT NULL REFERENCES organizations,
    days integer NOT NULL CHECK (days BETWEEN 1 AND 365),
    PRIMARY KEY (organization_id, days)
);
INSERT INTO reminder_leads (organization_id, days)
SELECT id, days FROM organizations CROSS JOIN (VALUES (30), (7)) AS usual (days);

-- What the scheduler looks for.
CREATE INDEX course_enrollments_access_ends ON course_enrollments (expires_at)
    WHERE status = 'enrolled' AND expires_at IS NOT NULL;
CREATE INDEX certificates_end ON certificates (expires_at) WHERE expires_at IS NOT NULL AND voided_at IS NULL;
CREATE INDEX courses_end ON courses (ends_at) WHERE ends_at IS NOT NULL AND waitlisted_count > 0;

-- Who of several processes does a job at present, which only saves work: each job is safe to be done by two.
CREATE TABLE leases (
    job text PRIMARY KEY,
    holder uuid NOT NULL,
    until timestamptz NOT NULL
);

-- The log only grows.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A chain over each organization's log: a digest of an event and of all before it. What was altered afterwards, or is
-- gone, does not fit it any more.
CREATE TABLE event_seals (
    organization_id uuid NOT NULL,
    number bigint NOT NULL,
    digest bytea NOT NULL CHECK (length(digest) = 32),
    PRIMARY KEY (organization_id, number)
);
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON event_seals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- Where an organization's events are sent. The secret signs what is sent; the cursor is the last event that was looked
-- at for this webhook.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL REFERENCES organizations,
    url text NOT NULL,
    kinds text,
    secret text NOT NULL,
    cursor bigint NOT NULL,
    -- How often in a row its receiver was not well, and when it is tried again.
    failures integer NOT NULL DEFAULT 0,
    retry_at timestamptz,
    disabled_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT webhooks_organization_key UNIQUE (organization_id, id)
);
CREATE INDEX webhooks_organization ON webhooks (organization_id, id) WHERE deleted_at IS NULL;

-- The last event of each organization that was looked at for mail.
CREATE TABLE mail_cursors (
    organization_id uuid PRIMARY KEY REFERENCES organizations,
    cursor bigint NOT NULL
);
INSERT INTO mail_cursors (organization_id, cursor) SELECT organization_id, last_number FROM event_heads;

-- What is to be sent of one event: to one webhook, or by mail to the person it is about. Whoever sends it claims it first.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    organization_id uuid NOT NULL,
    channel text NOT NULL CHECK (channel IN ('webhook', 'mail')),
    webhook_id uuid,
    event_number bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('pending', 'claimed', 'delivered', 'dead')),
    attempts integer NOT NULL CHECK (attempts >= 0),
    due_at timestamptz NOT NULL,
    problem text,
    CONSTRAINT webhook_where_it_is_one CHECK ((channel = 'webhook') = (webhook_id IS NOT NULL)),
    CONSTRAINT organization_consistency_webhook FOREIGN KEY (organization_id, webhook_id)
        REFERENCES webhooks (organization_id, id),
    CONSTRAINT organization_consistency_event FOREIGN KEY (organization_id, event_number)
        REFERENCES events (organization_id, number)
);
CREATE UNIQUE INDEX deliveries_webhook ON deliveries (webhook_id, event_number) WHERE channel = 'webhook';
CREATE UNIQUE INDEX deliveries_mail ON deliveries (organization_id, event_number) WHERE channel = 'mail';
CREATE INDEX deliveries_claimed ON deliveries (webhook_id) WHERE state = 'claimed';
CREATE INDEX deliveries_settled ON deliveries (due_at) WHERE state IN ('delivered', 'dead');
-- A claimed one is due again when its claim is given up.
CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state IN ('pending', 'claimed');
