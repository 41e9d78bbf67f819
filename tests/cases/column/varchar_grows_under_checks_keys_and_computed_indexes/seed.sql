INSERT INTO public.contact VALUES (1, 'c1', 'new', 'A@b.c', '1'), (2, NULL, NULL, NULL, NULL);
INSERT INTO public.message VALUES (1, 'c1');
