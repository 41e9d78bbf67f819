CREATE TABLE t (
    a character varying(5), b integer, c bigint, d boolean, e timestamp with time zone, f double precision,
    g numeric(5, 1), h character(1), i bit(1), j real, k int2
);
