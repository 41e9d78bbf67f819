CREATE TABLE public.orders (id bigint PRIMARY KEY, total numeric);
GRANT SELECT ON TABLE public.orders TO app_owner WITH GRANT OPTION;
SET SESSION AUTHORIZATION app_owner;
GRANT SELECT ON TABLE public.orders TO app_reader;
RESET SESSION AUTHORIZATION;
