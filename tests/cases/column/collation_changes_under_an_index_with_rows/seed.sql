INSERT INTO public.contact VALUES (1, 'é'), (2, 'Z'), (3, NULL);
