CREATE TABLE public.events (
    kind text NOT NULL,
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY
);

CREATE TABLE public.notes (
    note text,
    event_id bigint PRIMARY KEY REFERENCES public.events (id)
);
