CREATE MACRO first_group(text, pattern) AS nullif(regexp_extract(text, pattern, 1), '');
CREATE MACRO has_match(text, pattern) AS regexp_like(text, pattern);
CREATE MACRO days_of(text) AS date_diff('day', DATE '1970-01-01', TRY_CAST(text AS DATE));
CREATE MACRO sha256_hex(text) AS lower(to_hex(sha256(to_utf8(text))));
CREATE MACRO base64_text(text) AS TRY(from_utf8(from_base64(text)));
