CREATE TABLE orders (status text, CONSTRAINT known CHECK (status = ANY (ARRAY['new'::text, 'paid'::text])));
