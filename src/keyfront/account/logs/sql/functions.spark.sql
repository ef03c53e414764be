CREATE MACRO first_group(text, pattern) AS nullif(regexp_extract(text, pattern, 1), '');
CREATE MACRO has_match(text, pattern) AS text RLIKE pattern;
CREATE MACRO days_of(text) AS CAST(datediff(TRY_CAST(text AS DATE), DATE '1970-01-01') AS BIGINT);
CREATE MACRO sha256_hex(text) AS sha2(text, 256);
CREATE MACRO base64_text(text) AS CAST(unbase64(text) AS STRING);
