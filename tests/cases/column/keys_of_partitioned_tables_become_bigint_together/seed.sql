INSERT INTO public.threads (day) VALUES ('2024-05-01'), ('2025-05-01');
INSERT INTO public.messages (id, day, thread_id, answers) VALUES
    (1, '2024-05-01', 1, NULL), (2, '2024-05-01', 1, 1), (3, '2025-05-01', 2, 3);
