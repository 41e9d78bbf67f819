CREATE TABLE public.customers (
    id serial PRIMARY KEY,
    email text NOT NULL UNIQUE
);

CREATE TABLE public.orders (
    id serial PRIMARY KEY,
    customer_id integer NOT NULL REFERENCES public.customers (id) ON DELETE CASCADE,
    parent_id integer REFERENCES public.orders (id),
    total integer CHECK (total >= 0)
);

CREATE INDEX orders_customer_id_idx ON public.orders (customer_id);
