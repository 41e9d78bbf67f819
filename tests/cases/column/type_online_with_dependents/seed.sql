INSERT INTO public.accounts VALUES (1, 'Ann', 5), (2, 'Bob', -5), (3, 'Cy', 5000);
