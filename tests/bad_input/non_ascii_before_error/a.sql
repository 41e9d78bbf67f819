COMMENT ON TABLE größe IS 'Füße, naïve, 日本語, 🐘'; CREATE TABLE größe (breite int, höhe int NOT NUL);
