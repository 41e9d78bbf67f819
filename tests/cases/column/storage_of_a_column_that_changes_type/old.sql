CREATE TABLE contacts (bio varchar(20));
ALTER TABLE contacts ALTER bio SET STORAGE EXTERNAL;
