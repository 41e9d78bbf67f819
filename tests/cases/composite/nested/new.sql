CREATE TYPE place AS (country char(2), position point);
CREATE TYPE point_of_sale AS (name text, place place);
