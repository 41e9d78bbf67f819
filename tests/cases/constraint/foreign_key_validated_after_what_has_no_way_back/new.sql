CREATE TABLE event (id integer PRIMARY KEY, cause integer REFERENCES event) PARTITION BY RANGE (id);
CREATE TABLE event_first PARTITION OF event FOR VALUES FROM (0) TO (100);
CREATE TABLE event_rest PARTITION OF event DEFAULT;
CREATE TABLE note (id integer PRIMARY KEY, event integer REFERENCES event);
CREATE TABLE tag (name text NOT NULL);
