CREATE TABLE "it's a ""table""" (
    "NEW" json,
    "OLD' $$" json, -- tenantry: was "a""b"
    "select" numeric DEFAULT 1.50 -- tenantry: was "$$"
);
