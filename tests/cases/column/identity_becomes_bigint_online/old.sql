CREATE TABLE public.events (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind text NOT NULL
);

CREATE TABLE public.notes (
    event_id integer PRIMARY KEY REFERENCES public.events (id),
    note text
);
