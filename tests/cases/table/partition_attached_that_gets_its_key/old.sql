CREATE TABLE ev (id bigint, at date, note text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX ON ev (note);
CREATE TABLE ev_26 PARTITION OF ev FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE ev_27 (id bigint NOT NULL, at date NOT NULL, note text);
