CREATE TABLE contacts (settings jsonb NOT NULL DEFAULT '{"a": 1}');
