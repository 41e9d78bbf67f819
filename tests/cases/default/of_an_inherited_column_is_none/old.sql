CREATE TABLE documents (id integer NOT NULL, state text DEFAULT 'draft');
CREATE TABLE events (at date NOT NULL, state text DEFAULT 'open') PARTITION BY RANGE (at);
