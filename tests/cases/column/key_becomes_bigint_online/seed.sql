INSERT INTO public.customers (email) VALUES ('a@example.com'), ('b@example.com'), ('c@example.com');
INSERT INTO public.orders (customer_id, total) VALUES (1, 10), (2, 20), (2, NULL);
UPDATE public.orders SET parent_id = 1 WHERE id = 3;
