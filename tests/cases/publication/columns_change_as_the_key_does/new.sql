CREATE TABLE public.by_another_key (id bigint, code text NOT NULL, body text NOT NULL, CONSTRAINT by_another_key_pkey PRIMARY KEY (code));
ALTER TABLE public.by_another_key ALTER id SET NOT NULL;
CREATE TABLE public.chosen_by_another_column (id bigint, region text NOT NULL, body text NOT NULL, CONSTRAINT chosen_pkey PRIMARY KEY (id, region));
CREATE TABLE public.more_is_published (id bigint, tenant_id bigint NOT NULL, body text NOT NULL, CONSTRAINT more_is_published_pkey PRIMARY KEY (tenant_id, id));
CREATE TABLE public.from_whole_rows (id bigint PRIMARY KEY, region text NOT NULL, body text NOT NULL);
CREATE TABLE public.to_whole_rows (id bigint PRIMARY KEY, region text NOT NULL, body text NOT NULL);
ALTER TABLE public.to_whole_rows REPLICA IDENTITY FULL;
CREATE TABLE public.by_an_index (id bigint PRIMARY KEY, code text NOT NULL, body text NOT NULL);
CREATE UNIQUE INDEX by_code ON public.by_an_index (code);
ALTER TABLE public.by_an_index REPLICA IDENTITY USING INDEX by_code;
CREATE PUBLICATION feed FOR TABLE public.by_another_key (code, body), public.chosen_by_another_column WHERE (region = 'eu'),
    public.more_is_published (id, tenant_id, body), public.from_whole_rows WHERE (id > 3), public.to_whole_rows,
    public.by_an_index (code, body);
