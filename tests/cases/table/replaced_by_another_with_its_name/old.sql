-- Nothing of the old table is left but the name.
CREATE TABLE events (id integer PRIMARY KEY, payload jsonb);
