CREATE TABLE events (id integer, day date, "Hour" integer DEFAULT 0);
