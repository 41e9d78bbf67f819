CREATE TABLE public.customers (
    email text NOT NULL UNIQUE,
    id bigserial PRIMARY KEY
);

CREATE TABLE public.orders (
    total integer CHECK (total >= 0),
    customer_id bigint NOT NULL REFERENCES public.customers (id) ON DELETE CASCADE,
    id bigserial PRIMARY KEY,
    parent_id bigint REFERENCES public.orders (id)
);

CREATE INDEX orders_customer_id_idx ON public.orders (customer_id);
