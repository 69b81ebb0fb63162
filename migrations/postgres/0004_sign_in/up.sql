-- A provider that is removed keeps its place, because people are known by their identities there. Its issuer is free for
-- another organization; its own takes the former row up again, and with it the people.
ALTER TABLE identity_providers ADD COLUMN removed_at timestamptz;
ALTER TABLE identity_providers DROP CONSTRAINT identity_providers_issuer_key;
ALTER TABLE identity_providers ADD CONSTRAINT one_provider_per_issuer UNIQUE (organization_id, issuer);
CREATE UNIQUE INDEX identity_providers_issuer ON identity_providers (issuer) WHERE removed_at IS NULL;

-- Whether it is one of those that global admins sign in with.
ALTER TABLE identity_providers ADD COLUMN platform boolean NOT NULL DEFAULT false;

-- Which of an organization's providers is the built-in one.
ALTER TABLE development_keys ADD COLUMN identity_provider_id uuid;
UPDATE development_keys SET identity_provider_id = (
    SELECT id FROM identity_providers AS provider
    WHERE provider.organization_id = development_keys.organization_id ORDER BY created_at, id LIMIT 1
);
ALTER TABLE development_keys ALTER COLUMN identity_provider_id SET NOT NULL;
ALTER TABLE development_keys ADD CONSTRAINT organization_consistency
    FOREIGN KEY (organization_id, identity_provider_id) REFERENCES identity_providers (organization_id, id);

-- The list of an organization's service tokens, and the count of them.
CREATE INDEX service_tokens_organization ON service_tokens (organization_id, id);
