INSERT INTO public.people VALUES (1, 'sad', '{ok,sad}'), (2, 'ok', '{}'), (3, 'gone', '{sad}');
INSERT INTO public.days VALUES ('2024-01-01', 'ok'), ('2024-01-02', NULL);
