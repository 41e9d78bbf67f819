CREATE TABLE t (a integer);
CREATE TYPE hours AS RANGE (subtype = float8, multirange_type_name = "Opening hours");
CREATE TABLE shops (open "Opening hours" DEFAULT '{}');
