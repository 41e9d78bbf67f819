CREATE TABLE contacts (settings text NOT NULL DEFAULT '{}');
