CREATE TABLE public.stays (
    id bigint PRIMARY KEY,
    during tstzrange NOT NULL,
    CONSTRAINT no_overlap EXCLUDE USING gist (during WITH &&)
);
