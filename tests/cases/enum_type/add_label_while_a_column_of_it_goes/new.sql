CREATE TYPE public.mood AS ENUM ('calm', 'loud');
CREATE TABLE public.t (
    id integer PRIMARY KEY,
    second public.mood DEFAULT 'loud'
);
