CREATE TABLE documents (id integer NOT NULL, state text DEFAULT 'draft');
