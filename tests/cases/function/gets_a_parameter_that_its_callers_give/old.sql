CREATE TABLE public.messages (id bigint PRIMARY KEY, owner text NOT NULL CONSTRAINT somebody CHECK (owner <> ''));
CREATE FUNCTION public.me() RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_user::text $$;
REVOKE EXECUTE ON FUNCTION public.me() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.me() TO app_reader;
ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.messages USING (owner = public.me());
CREATE VIEW public.mine AS SELECT id, owner FROM public.messages WHERE owner = public.me();
ALTER TABLE public.messages ADD CONSTRAINT known CHECK (public.me() <> '');
