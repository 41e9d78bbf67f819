CREATE TABLE public.threads (
    day date NOT NULL,
    id bigserial,
    PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE public.threads_2024 PARTITION OF public.threads FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE public.threads_2025 PARTITION OF public.threads FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE public.messages (
    day date NOT NULL,
    answers bigint,
    id bigint NOT NULL,
    thread_id bigint NOT NULL,
    PRIMARY KEY (id, day),
    CONSTRAINT messages_thread FOREIGN KEY (thread_id, day) REFERENCES public.threads (id, day) ON DELETE CASCADE,
    CONSTRAINT messages_answers FOREIGN KEY (answers, day) REFERENCES public.messages (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE public.messages_2024 PARTITION OF public.messages FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
CREATE TABLE public.messages_2025 PARTITION OF public.messages FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
    PARTITION BY HASH (day);
CREATE TABLE public.messages_2025_0 PARTITION OF public.messages_2025 FOR VALUES WITH (MODULUS 1, REMAINDER 0);
COMMENT ON CONSTRAINT messages_thread ON public.messages IS 'what it belongs to';
