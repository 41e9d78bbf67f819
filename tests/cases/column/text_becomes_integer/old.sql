-- No assignment cast leads from text to integer.
CREATE TABLE contacts (age text);
