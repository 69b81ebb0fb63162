PRAGMA defer_foreign_keys = ON;
-- A provider that was removed must not come back, and its issuer may be another's by now.
UPDATE identity_providers SET issuer = 'removed:' || lower(hex(id)) WHERE removed_at IS NOT NULL;
DROP INDEX service_tokens_organization;
ALTER TABLE development_keys RENAME TO former_keys;
CREATE TABLE development_keys (
    organization_id BLOB NOT NULL PRIMARY KEY REFERENCES organizations,
    key_id TEXT NOT NULL,
    private_key TEXT NOT NULL
) STRICT;
INSERT INTO development_keys SELECT organization_id, key_id, private_key FROM former_keys;
DROP TABLE former_keys;
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
    CONSTRAINT identity_providers_issuer_key UNIQUE (issuer),
    CONSTRAINT identity_providers_organization_key UNIQUE (organization_id, id)
) STRICT;
INSERT INTO identity_providers SELECT id, organization_id, issuer, audience, algorithm, role_claim, jwks_uri, created_at
FROM former_providers;
DROP TABLE former_providers;
