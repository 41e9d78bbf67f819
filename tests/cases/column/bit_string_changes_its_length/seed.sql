INSERT INTO public.flags VALUES (1, NULL, B'101');
