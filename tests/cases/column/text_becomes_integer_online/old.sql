CREATE TABLE public.parcels (
    id bigint PRIMARY KEY,
    weight text,
    CONSTRAINT weighed CHECK (weight <> '')
);
CREATE INDEX parcels_weight_idx ON public.parcels (weight);
