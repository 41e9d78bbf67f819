CREATE TYPE "Addr ""ess" AS ("select" text);
