INSERT INTO public.t (id, second) VALUES (1, 'calm'), (2, NULL);
