INSERT INTO public.lines SELECT g, g * 2 FROM generate_series(1, 20) g;
INSERT INTO public.notes SELECT g, g, g FROM generate_series(1, 20) g;
