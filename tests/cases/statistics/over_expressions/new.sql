CREATE TABLE contacts (city text, zip text);
CREATE STATISTICS where_they_are (mcv, ndistinct) ON lower(city), zip FROM contacts;
CREATE STATISTICS lengths ON (length(city) + 1) FROM contacts;
