CREATE TABLE public.contacts (id bigint PRIMARY KEY);
CREATE TABLE public.messages (
    sent_at date NOT NULL,
    contact_id bigint REFERENCES public.contacts (id)
) PARTITION BY RANGE (sent_at);
CREATE TABLE public.messages_2024 PARTITION OF public.messages FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
