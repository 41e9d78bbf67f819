CREATE SCHEMA app;

CREATE TABLE app.orders (
    id integer NOT NULL,
    user_id integer NOT NULL,
    placed_at timestamptz(3) NOT NULL,
    state varchar(20),
    CONSTRAINT orders_pkey PRIMARY KEY (id)
);
