INSERT INTO public.events (kind) VALUES ('a'), ('b'), ('c');
INSERT INTO public.notes VALUES (1, 'x'), (3, NULL);
DELETE FROM public.events WHERE id = 2;
