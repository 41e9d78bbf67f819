CREATE TABLE other (id bigint);
