CREATE TABLE t (a text DEFAULT 'x', b varchar(5) DEFAULT 'x', c jsonb DEFAULT '{}', d integer DEFAULT -1, e date DEFAULT '2026-01-01');
