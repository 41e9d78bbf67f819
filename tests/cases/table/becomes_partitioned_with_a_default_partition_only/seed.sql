INSERT INTO events (at, text) SELECT date '2026-01-01' + n, 't' || n FROM generate_series(1, 400) n;
