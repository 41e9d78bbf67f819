CREATE SCHEMA app;

CREATE TABLE app.orders (
    id integer NOT NULL,
    state text NOT NULL,
    token uuid DEFAULT gen_random_uuid() NOT NULL,
    CONSTRAINT orders_pkey PRIMARY KEY (id)
);
ALTER TABLE app.orders
    ALTER COLUMN state SET STATISTICS 500,
    ALTER COLUMN state SET (n_distinct = 5),
    ALTER COLUMN state SET STORAGE EXTERNAL,
    ALTER COLUMN token SET STATISTICS 0;
CREATE TABLE app.lines (note text, id bigint GENERATED ALWAYS AS IDENTITY);
ALTER TABLE app.lines ALTER COLUMN id SET STATISTICS 7;
