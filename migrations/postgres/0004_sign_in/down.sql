-- A provider that was removed must not come back, and its issuer may be another's by now.
UPDATE identity_providers SET issuer = 'removed:' || id::text WHERE removed_at IS NOT NULL;
DROP INDEX service_tokens_organization;
ALTER TABLE development_keys DROP COLUMN identity_provider_id;
DROP INDEX identity_providers_issuer;
ALTER TABLE identity_providers DROP CONSTRAINT one_provider_per_issuer;
ALTER TABLE identity_providers ADD CONSTRAINT identity_providers_issuer_key UNIQUE (issuer);
ALTER TABLE identity_providers DROP COLUMN removed_at;
ALTER TABLE identity_providers DROP COLUMN platform;
