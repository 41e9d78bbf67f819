CREATE TYPE public.mood AS ENUM ('sad', 'ok', 'gone');
CREATE TABLE public.people (id bigint PRIMARY KEY, mood public.mood, twice text GENERATED ALWAYS AS (CASE WHEN mood = 'ok'::public.mood THEN 'x' END) STORED);
