CREATE TABLE t (a varchar(5), b int, c int8, d bool, e timestamptz, f float8, g decimal(5, 1), h char, i bit, j float4, k smallint);
