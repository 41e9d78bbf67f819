CREATE TABLE event (id integer PRIMARY KEY, cause integer REFERENCES event) PARTITION BY RANGE (id);
CREATE TABLE event_first PARTITION OF event FOR VALUES FROM (0) TO (100) PARTITION BY HASH (id);
CREATE TABLE event_first_all PARTITION OF event_first FOR VALUES WITH (MODULUS 1, REMAINDER 0);
CREATE INDEX event_first_own ON event_first (id DESC);
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE TABLE note (id integer PRIMARY KEY, name text) PARTITION BY RANGE (id);
CREATE TABLE note_first PARTITION OF note FOR VALUES FROM (0) TO (100);
CREATE INDEX note_by ON note (name);
