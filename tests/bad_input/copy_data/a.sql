CREATE TABLE plans (id int, name text);

COPY public.plans (id, name) FROM stdin;
1	it's; a "plan"
2	$$ and 'more
\.

CREATE VIEW v AS SELECT * FROM plans;
