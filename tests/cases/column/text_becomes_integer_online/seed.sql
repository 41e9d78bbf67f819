INSERT INTO public.parcels VALUES (1, '5'), (2, NULL), (3, '70');
