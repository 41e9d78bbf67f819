CREATE TABLE t (name text, active boolean);
CREATE INDEX i ON public.t USING btree (lower((name)::text)) WHERE ((active) AND ((name IS NOT NULL)));
