CREATE SCHEMA shop;
CREATE SCHEMA blog;
CREATE TABLE shop.shops (id uuid PRIMARY KEY DEFAULT gen_random_uuid());
CREATE TABLE shop.orders (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), number integer UNIQUE);
CREATE TABLE blog.blogs (name text PRIMARY KEY);
SET search_path = blog;
CREATE TABLE posts (id serial PRIMARY KEY, slug text UNIQUE, parent integer REFERENCES posts);
