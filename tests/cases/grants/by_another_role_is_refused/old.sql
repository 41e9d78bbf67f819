CREATE TABLE public.orders (id bigint PRIMARY KEY, total numeric);
GRANT SELECT, INSERT ON public.orders TO app_owner WITH GRANT OPTION;
GRANT UPDATE (total) ON public.orders TO app_owner WITH GRANT OPTION;
SET ROLE app_owner;
GRANT SELECT, INSERT ON public.orders TO app_reader;
GRANT UPDATE (total) ON public.orders TO app_reader;
RESET ROLE;
