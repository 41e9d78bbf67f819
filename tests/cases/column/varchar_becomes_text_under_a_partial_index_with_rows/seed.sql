INSERT INTO public.contact VALUES (1, 'a'), (2, 'b'), (3, NULL);
