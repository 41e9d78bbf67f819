CREATE TABLE contacts (phone text, CONSTRAINT contacts_phone_key UNIQUE (phone));
CREATE TABLE calls (phone text CONSTRAINT calls_phone_fkey REFERENCES contacts (phone));
CREATE TABLE words (word text, said integer, CONSTRAINT words_word UNIQUE (word));
CREATE TABLE uses (word text CONSTRAINT uses_word_fkey REFERENCES words (word));
CREATE TABLE marks (n integer, at integer, CONSTRAINT marks_n UNIQUE (n));
CREATE TABLE meant (n integer CONSTRAINT meant_n_fkey REFERENCES marks (n));
