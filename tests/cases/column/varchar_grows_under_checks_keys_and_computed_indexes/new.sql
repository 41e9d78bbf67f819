-- Of these only the CHECK and the indexes with an expression or a condition make the server read rows.
CREATE TABLE public.contact (
    id integer PRIMARY KEY,
    code varchar(40) UNIQUE,
    stage varchar(40) CHECK (stage <> ''),
    email varchar(40),
    phone varchar(40)
);
CREATE TABLE public.message (id integer PRIMARY KEY, code varchar(40) REFERENCES public.contact (code));
CREATE INDEX contact_email ON public.contact (lower(email));
CREATE INDEX contact_phone ON public.contact (id) WHERE phone IS NOT NULL;
