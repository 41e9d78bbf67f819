CREATE TABLE t (
    id bigint PRIMARY KEY,
    code text UNIQUE,
    label text COLLATE "C" NOT NULL,
    later bigint UNIQUE DEFERRABLE,
    n integer
);
CREATE UNIQUE INDEX t_label ON t (label);
CREATE UNIQUE INDEX t_some ON t (n) WHERE n > 0;
