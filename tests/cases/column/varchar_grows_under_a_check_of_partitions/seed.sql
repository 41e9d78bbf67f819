INSERT INTO public.message VALUES (1, 'new'), (2000, NULL);
