INSERT INTO public.messages VALUES (1, 'a'), (2, 'b');
