CREATE DOMAIN status AS text CHECK (VALUE IN ('new', 'paid'));
CREATE TABLE orders (id integer, status status DEFAULT 'new');
