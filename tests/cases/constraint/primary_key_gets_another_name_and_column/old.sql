CREATE TABLE public.messages (id bigint NOT NULL, owner bigint NOT NULL, body text, CONSTRAINT messages_by_id PRIMARY KEY (id));
CREATE TABLE public.parts (message bigint, owner bigint, n integer, CONSTRAINT parts_message FOREIGN KEY (message) REFERENCES public.messages);
CREATE TABLE public.notes (id bigint NOT NULL, body text, CONSTRAINT notes_by_id PRIMARY KEY (id));
COMMENT ON CONSTRAINT messages_by_id ON public.messages IS 'one by one';
