CREATE TABLE public.parcels (
    id bigint PRIMARY KEY,
    weight integer,
    CONSTRAINT weighed CHECK (weight > 0)
);
CREATE INDEX parcels_weight_idx ON public.parcels (weight);
