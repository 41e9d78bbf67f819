CREATE TABLE p (id integer NOT NULL, a bigint) PARTITION BY RANGE (id);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE p2 (id integer NOT NULL, a integer, b text);
