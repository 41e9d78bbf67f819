CREATE TABLE faxes (id bigint PRIMARY KEY);
CREATE TABLE letters (id bigint PRIMARY KEY, fax boolean, stamp text);
