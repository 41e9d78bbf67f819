INSERT INTO public.contact VALUES (1, 'A@b.c'), (2, 'd');
