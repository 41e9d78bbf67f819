-- Whoever granted further has to take that back first, though one of them shall have the same from the owner.
CREATE TABLE public.orders (id bigint PRIMARY KEY, total numeric);
GRANT SELECT ON public.orders TO app_owner WITH GRANT OPTION;
GRANT SELECT ON public.orders TO app_reader WITH GRANT OPTION;
SET ROLE app_reader;
GRANT SELECT ON public.orders TO authenticated;
RESET ROLE;
