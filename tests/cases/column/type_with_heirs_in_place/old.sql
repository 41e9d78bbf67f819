CREATE TABLE public.animals (name text, weight integer);
CREATE TABLE public.dogs (breed text) INHERITS (public.animals);
