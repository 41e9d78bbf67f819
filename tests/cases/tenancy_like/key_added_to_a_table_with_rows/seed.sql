INSERT INTO contacts (phone_number) VALUES ('+431'), ('+432');
