CREATE TABLE people (id bigint, country text, PRIMARY KEY (id, country)) PARTITION BY LIST (country);
CREATE TABLE people_de PARTITION OF people FOR VALUES IN ('DE');
CREATE TABLE notes (person bigint, country text, at date,
    CONSTRAINT notes_person FOREIGN KEY (person, country) REFERENCES people (id, country)) PARTITION BY RANGE (at);
CREATE TABLE notes_2024 (person bigint, country text, at date,
    CONSTRAINT notes_person FOREIGN KEY (person, country) REFERENCES people (id, country));
