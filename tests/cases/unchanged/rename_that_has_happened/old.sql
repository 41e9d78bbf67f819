-- A directive expires by itself once the new name is there.
CREATE TABLE contacts (id integer, phone_number text);
