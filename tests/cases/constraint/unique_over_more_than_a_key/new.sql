CREATE TABLE t (
    id bigint PRIMARY KEY,
    code text UNIQUE,
    label text COLLATE "C" NOT NULL,
    later bigint UNIQUE DEFERRABLE,
    n integer,
    CONSTRAINT t_given_by_the_key UNIQUE (n, id),
    CONSTRAINT t_given_by_code UNIQUE (code, n),
    CONSTRAINT t_of_later UNIQUE (later, n)
);
CREATE UNIQUE INDEX t_label ON t (label);
CREATE UNIQUE INDEX t_some ON t (n) WHERE n > 0;
CREATE UNIQUE INDEX t_given_by_label ON t (n DESC, label) WHERE n > 1;
CREATE UNIQUE INDEX t_of_some ON t (n, later);
CREATE UNIQUE INDEX t_of_code_in_another_way ON t (code text_pattern_ops, n);
CREATE UNIQUE INDEX t_of_code_with_nulls ON t (code, later) NULLS NOT DISTINCT;
