CREATE TABLE contacts (
    id integer,
    a text DEFAULT '''; DROP TABLE contacts; --',
    b text DEFAULT E'\\''\n"',
    c text DEFAULT '$$;$$',
    d text DEFAULT '',
    e jsonb DEFAULT '{"a''b": "c\"d"}',
    f text[] DEFAULT ARRAY['it''s', '"', '{', ',']
);
