CREATE SCHEMA app;

CREATE TABLE app.orders (
    id integer NOT NULL,
    user_id bigint NOT NULL,
    placed_at timestamptz NOT NULL,
    state text NOT NULL,
    CONSTRAINT orders_pkey PRIMARY KEY (id)
);
