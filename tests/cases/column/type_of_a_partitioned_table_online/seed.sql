INSERT INTO public.readings VALUES (1, '2024-05-01'), (2, '2024-06-01');
