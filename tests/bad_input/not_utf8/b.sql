CREATE TABLE b (name text DEFAULT 'é');
