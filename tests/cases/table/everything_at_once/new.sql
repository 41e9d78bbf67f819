CREATE TABLE contacts (
    id bigint PRIMARY KEY,
    name varchar(100) NOT NULL,
    email text,
    score integer DEFAULT 10 CHECK (score >= 0),
    created_at timestamptz NOT NULL DEFAULT '2026-01-01 00:00:00+00'
);
CREATE INDEX contacts_name_idx ON contacts (name, id);
COMMENT ON TABLE contacts IS 'People';
ALTER TABLE contacts OWNER TO app_owner;
GRANT SELECT ON contacts TO app_reader;
