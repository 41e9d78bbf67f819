CREATE TABLE public.messages (id bigint NOT NULL, owner bigint NOT NULL, body text, CONSTRAINT messages_by_owner PRIMARY KEY (owner, id));
CREATE TABLE public.parts (message bigint, owner bigint, n integer, CONSTRAINT parts_message FOREIGN KEY (owner, message) REFERENCES public.messages);
CREATE TABLE public.notes (id bigint NOT NULL, body text, CONSTRAINT notes_with_body PRIMARY KEY (id) INCLUDE (body));
COMMENT ON CONSTRAINT messages_by_owner ON public.messages IS 'one by one of an owner';
