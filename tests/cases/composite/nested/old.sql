CREATE TYPE point_of_sale AS (name text);
