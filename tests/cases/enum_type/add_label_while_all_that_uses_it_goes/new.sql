CREATE TYPE public.mood AS ENUM ('calm', 'loud', 'glad');
CREATE TABLE public.u (id integer PRIMARY KEY, mood public.mood);
