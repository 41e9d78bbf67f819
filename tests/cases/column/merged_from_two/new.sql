CREATE TABLE events (id integer, at timestamp);
