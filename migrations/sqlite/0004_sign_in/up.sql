-- A provider that is removed keeps its place, because people are known by their identities there. Its issuer is free for
-- another organization; its own takes the former row up again, and with it the people.
--
-- SQLite drops no constraint, so the table is made anew: under its own name, so that the identities that refer to it are
-- counted as found again.
PRAGMA defer_foreign_keys = ON;
CREATE TABLE former_providers AS SELECT * FROM identity_providers;
DROP TABLE identity_providers;
CREATE TABLE identity_providers (
    id BLOB NOT NULL PRIMARY KEY,
    organization_id BLOB NOT NULL REFERENCES organizations,
    issuer TEXT NOT NULL,
    audience TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    role_claim TEXT,
    jwks_uri TEXT,
    created_at INTEGER NOT NULL,
    removed_at INTEGER,
    -- Whether it is one of those that global admins sign in with.
    platform INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT identity_providers_organization_key UNIQUE (organization_id, id),
    CONSTRAINT one_provider_per_issuer UNIQUE (organization_id, issuer)
) STRICT;
INSERT INTO identity_providers SELECT *, NULL, 0 FROM former_providers;
DROP TABLE former_providers;
CREATE UNIQUE INDEX identity_providers_issuer ON identity_providers (issuer) WHERE removed_at IS NULL;

-- Which of an organization's providers is the built-in one.
ALTER TABLE development_keys RENAME TO former_keys;
CREATE TABLE development_keys (
    organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations,
    identity_provider_id BLOB NOT NULL,
    key_id TEXT NOT NULL,
    private_key TEXT NOT NULL,
    CONSTRAINT organization_consistency FOREIGN KEY (organization_id, identity_provider_id)
        REFERENCES identity_providers (organization_id, id)
) STRICT;
INSERT INTO development_keys SELECT organization_id, (
    SELECT id FROM identity_providers AS provider
    WHERE provider.organization_id = former_keys.organization_id ORDER BY created_at, id LIMIT 1
), key_id, private_key FROM former_keys;
DROP TABLE former_keys;

-- The list of an organization's service tokens, and the count of them.
CREATE INDEX service_tokens_organization ON service_tokens (organization_id, id);
