INSERT INTO public.messages VALUES (1, 'a', 'new'), (5, 'b', 'new');
