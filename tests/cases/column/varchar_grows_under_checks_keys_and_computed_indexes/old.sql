-- Of these only the CHECK and the indexes with an expression or a condition make the server read rows.
CREATE TABLE public.contact (
    id integer PRIMARY KEY,
    code varchar(20) UNIQUE,
    stage varchar(20) CHECK (stage <> ''),
    email varchar(20),
    phone varchar(20)
);
CREATE TABLE public.message (id integer PRIMARY KEY, code varchar(20) REFERENCES public.contact (code));
CREATE INDEX contact_email ON public.contact (lower(email));
CREATE INDEX contact_phone ON public.contact (id) WHERE phone IS NOT NULL;
