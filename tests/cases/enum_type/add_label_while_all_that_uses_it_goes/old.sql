CREATE TYPE public.mood AS ENUM ('calm');
CREATE DOMAIN public.usual AS public.mood DEFAULT 'calm' CHECK (VALUE IS NOT NULL);
CREATE TYPE public.pair AS (number integer, mood public.mood);
CREATE TABLE public.t (id integer PRIMARY KEY, mood public.mood DEFAULT 'calm', usual public.usual);
CREATE TABLE public.u (id integer PRIMARY KEY, pair public.pair, mood public.mood);
CREATE VIEW public.calm AS SELECT id FROM public.t WHERE mood = 'calm';
COMMENT ON DOMAIN public.usual IS 'never null';
