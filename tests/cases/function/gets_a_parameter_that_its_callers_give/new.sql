CREATE TABLE public.messages (id bigint PRIMARY KEY, owner text NOT NULL CONSTRAINT somebody CHECK (owner <> ''));
CREATE FUNCTION public.me(mode integer DEFAULT 1) RETURNS text LANGUAGE sql STABLE AS $$ SELECT current_user::text $$;
REVOKE EXECUTE ON FUNCTION public.me(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.me(integer) TO app_reader;
ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON public.messages USING (owner = public.me(2));
CREATE POLICY within ON public.messages AS RESTRICTIVE USING (owner = public.me());
CREATE VIEW public.mine AS SELECT id, owner, public.me() AS who FROM public.messages WHERE owner = public.me(3);
ALTER TABLE public.messages ADD CONSTRAINT known CHECK (public.me(4) <> '');
