CREATE TABLE accounts (id integer NOT NULL, tenant integer NOT NULL, PRIMARY KEY (tenant, id));
CREATE TABLE invoices (tenant integer NOT NULL, account integer, day date NOT NULL,
    CONSTRAINT invoices_account_fkey FOREIGN KEY (tenant, account) REFERENCES accounts) PARTITION BY RANGE (day);
CREATE TABLE invoices_2026 PARTITION OF invoices FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE invoices_rest PARTITION OF invoices DEFAULT;
CREATE TABLE bills (tenant integer NOT NULL, account integer, day date NOT NULL,
    CONSTRAINT bills_account FOREIGN KEY (tenant, account) REFERENCES accounts) PARTITION BY RANGE (day);
CREATE TABLE bills_2026 PARTITION OF bills FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE bills_rest PARTITION OF bills DEFAULT;
