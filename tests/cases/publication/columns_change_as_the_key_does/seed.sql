INSERT INTO public.by_another_key VALUES (1, 'a', 'x'), (5, 'b', 'y');
INSERT INTO public.chosen_by_another_column VALUES (1, 'eu', 'x'), (5, 'us', 'y');
INSERT INTO public.more_is_published VALUES (1, 1, 'x'), (5, 2, 'y');
INSERT INTO public.from_whole_rows VALUES (1, 'eu', 'x'), (5, 'us', 'y');
INSERT INTO public.to_whole_rows VALUES (1, 'eu', 'x'), (5, 'us', 'y');
INSERT INTO public.by_an_index VALUES (1, 'a', 'x'), (5, 'b', 'y');
