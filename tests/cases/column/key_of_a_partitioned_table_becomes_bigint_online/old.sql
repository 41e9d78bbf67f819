CREATE TABLE public.contacts (id serial PRIMARY KEY);
CREATE TABLE public.messages (
    sent_at date NOT NULL,
    body text,
    id serial CHECK (id > 0),
    contact_id integer NOT NULL REFERENCES public.contacts (id),
    PRIMARY KEY (id, sent_at),
    UNIQUE (contact_id, sent_at, id)
) PARTITION BY RANGE (sent_at);
CREATE TABLE public.messages_2024 PARTITION OF public.messages FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE public.messages_2025 PARTITION OF public.messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
    PARTITION BY HASH (sent_at);
CREATE TABLE public.messages_2025_0 PARTITION OF public.messages_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.messages_2025_1 PARTITION OF public.messages_2025 FOR VALUES WITH (MODULUS 2, REMAINDER 1);
CREATE INDEX messages_of_contact ON public.messages (contact_id, sent_at DESC);
CREATE TABLE public.receipts (
    read_at timestamptz,
    message_id integer NOT NULL,
    sent_at date NOT NULL,
    FOREIGN KEY (message_id, sent_at) REFERENCES public.messages (id, sent_at) ON DELETE CASCADE
);
CREATE INDEX receipts_of_message ON public.receipts (message_id);
CREATE VIEW public.newest AS SELECT contact_id, max(id) AS id FROM public.messages GROUP BY contact_id;
