CREATE TABLE public.animals (name text, weight bigint);
CREATE TABLE public.dogs (breed text) INHERITS (public.animals);
