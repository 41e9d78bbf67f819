CREATE TABLE "New ""Table""" ( -- tenantry: was "Old Table"
    id integer,
    "select" text -- tenantry: was "Old Column"
);
