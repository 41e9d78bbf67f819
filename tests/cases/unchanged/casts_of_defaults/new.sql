CREATE TABLE t (
    a text DEFAULT 'x'::text,
    b varchar(5) DEFAULT 'x'::character varying,
    c jsonb DEFAULT CAST('{}' AS jsonb),
    d integer DEFAULT '-1'::integer,
    e date DEFAULT DATE '2026-01-01'
);
