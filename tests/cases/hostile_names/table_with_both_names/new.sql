-- tenantry: was "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1"
CREATE TABLE "Ta""ble's $$ \n;--" (
    id integer PRIMARY KEY,
    "co""l'$$" text DEFAULT 'it''s'
);
-- tenantry: was "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx2"
CREATE TABLE "SELECT" (
    id integer PRIMARY KEY
);
GRANT SELECT ON "Ta""ble's $$ \n;--" TO "Odd Role";
