CREATE TYPE public.mood AS ENUM ('calm');
CREATE TABLE public.t (
    id integer PRIMARY KEY,
    first public.mood DEFAULT 'calm',
    second public.mood
);
CREATE INDEX t_first ON public.t (id) WHERE first = 'calm';
