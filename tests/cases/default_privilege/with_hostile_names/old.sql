CREATE SCHEMA "App's ""$$"";--";
