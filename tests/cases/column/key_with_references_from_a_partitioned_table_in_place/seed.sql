INSERT INTO public.contacts VALUES (1);
INSERT INTO public.messages VALUES ('2024-05-01', 1), ('2024-06-01', 1);
