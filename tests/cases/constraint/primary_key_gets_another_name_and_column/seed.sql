INSERT INTO public.messages SELECT i, 1, 'x' FROM generate_series(1, 20) i;
INSERT INTO public.parts SELECT i, 1, 1 FROM generate_series(1, 20) i;
INSERT INTO public.notes SELECT i, 'x' FROM generate_series(1, 20) i;
