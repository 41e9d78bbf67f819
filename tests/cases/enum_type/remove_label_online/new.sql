CREATE TYPE public.mood AS ENUM ('sad', 'ok');
COMMENT ON TYPE public.mood IS 'how they feel';
GRANT USAGE ON TYPE public.mood TO app_reader;

CREATE TABLE public.people (
    id bigint PRIMARY KEY,
    mood public.mood DEFAULT 'ok'::public.mood NOT NULL,
    moods public.mood[] DEFAULT '{}'::public.mood[] NOT NULL,
    CONSTRAINT not_sad CHECK (mood <> 'sad'::public.mood OR id > 0)
);
CREATE INDEX people_mood_idx ON public.people (mood, id);

CREATE TABLE public.days (
    day date NOT NULL,
    mood public.mood
);

CREATE VIEW public.okay AS SELECT id, mood FROM public.people WHERE mood = 'ok'::public.mood;
CREATE FUNCTION public.count_of(which public.mood) RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT count(*) FROM public.people WHERE mood = which; END;
