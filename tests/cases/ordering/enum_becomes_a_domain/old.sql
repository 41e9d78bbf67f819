CREATE TYPE status AS ENUM ('new', 'paid');
CREATE TABLE orders (id integer, status status DEFAULT 'new');
