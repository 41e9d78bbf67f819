CREATE TABLE orders (
    a text DEFAULT CURRENT_USER,
    b timestamptz DEFAULT now() + '1 day'::interval,
    c jsonb DEFAULT '{"it''s": [1, "\\"]}',
    d text[] DEFAULT ARRAY['a', NULL]::text[],
    e interval DEFAULT '1 mon'::interval,
    f text DEFAULT E'tab\tnew\nline\\',
    g bit(3) DEFAULT B'101'
);
