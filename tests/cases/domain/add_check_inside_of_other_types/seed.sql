INSERT INTO boxes VALUES
    (1, 5, '{1,2,NULL}', '{3}', ROW(1, 2, '[1,5)'), ROW(ROW(3, 4, NULL)::pair, 'it''s, "so"'), '[2,3)', '{[1,2), [5,)}'),
    (2, NULL, '{}', NULL, NULL, NULL, NULL, NULL);
INSERT INTO parts VALUES (1, '{7}');
