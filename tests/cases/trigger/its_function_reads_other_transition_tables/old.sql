CREATE TABLE public.messages (id bigint PRIMARY KEY, body text NOT NULL);
CREATE TABLE public.counted (messages bigint NOT NULL);
CREATE FUNCTION public.count_messages() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.counted SELECT count(*) FROM came;
    RETURN NULL;
END $$;
CREATE TRIGGER counts AFTER INSERT ON public.messages
    REFERENCING NEW TABLE AS came FOR EACH STATEMENT EXECUTE FUNCTION public.count_messages();
