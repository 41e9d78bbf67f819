CREATE TABLE public.orders (id bigint PRIMARY KEY, total numeric);
GRANT SELECT, INSERT ON public.orders TO app_owner WITH GRANT OPTION;
GRANT UPDATE (total) ON public.orders TO app_owner WITH GRANT OPTION;
GRANT SELECT, INSERT, DELETE ON public.orders TO app_reader;
GRANT UPDATE (total) ON public.orders TO app_reader;
