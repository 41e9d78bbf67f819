INSERT INTO public.contacts SELECT FROM generate_series(1, 3);
INSERT INTO public.messages (sent_at, body, contact_id) VALUES
    ('2024-05-01', 'a', 1), ('2024-06-01', 'b', 2), ('2025-05-01', 'c', 3), ('2025-06-01', 'd', 1), ('2025-07-01', 'e', 1);
INSERT INTO public.receipts (message_id, sent_at) VALUES (1, '2024-05-01'), (3, '2025-05-01'), (5, '2025-07-01');
