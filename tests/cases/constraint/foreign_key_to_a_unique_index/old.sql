CREATE TABLE contacts (phone text);
CREATE TABLE messages (phone text);
