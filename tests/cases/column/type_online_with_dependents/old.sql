CREATE TABLE public.accounts (
    id integer NOT NULL,
    owner text NOT NULL,
    balance integer DEFAULT 0 NOT NULL,
    CONSTRAINT accounts_key UNIQUE (id),
    CONSTRAINT balance_in_bounds CHECK (balance > -100 AND balance < 1000000)
);
COMMENT ON COLUMN public.accounts.balance IS 'in cents';
COMMENT ON CONSTRAINT balance_in_bounds ON public.accounts IS 'no deeper';

CREATE INDEX rich ON public.accounts (lower(owner), balance DESC) WHERE balance > 1000;
CREATE STATISTICS public.accounts_stats (dependencies) ON id, balance FROM public.accounts;
ALTER TABLE public.accounts REPLICA IDENTITY USING INDEX accounts_key;

CREATE VIEW public.debtors AS SELECT id, owner, balance FROM public.accounts WHERE balance < 0;
CREATE VIEW public.debt AS SELECT sum(balance) AS total FROM public.debtors;
GRANT SELECT ON public.debtors TO app_reader;
GRANT SELECT (id, balance) ON public.accounts TO app_reader;
GRANT INSERT, UPDATE (balance) ON public.accounts TO app_writer;

CREATE POLICY positive ON public.accounts FOR SELECT USING (balance >= 0);
ALTER TABLE public.accounts ENABLE ROW LEVEL SECURITY;

CREATE FUNCTION public.touched() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$;
CREATE TRIGGER on_balance BEFORE UPDATE OF balance ON public.accounts
    FOR EACH ROW WHEN (OLD.balance IS DISTINCT FROM NEW.balance) EXECUTE FUNCTION public.touched();

CREATE FUNCTION public.worth(who integer) RETURNS bigint LANGUAGE sql
    BEGIN ATOMIC SELECT a.balance FROM public.accounts a WHERE a.id = who; END;
