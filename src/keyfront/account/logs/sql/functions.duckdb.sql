-- What each engine says in its own words. The views use these names; functions.athena.sql and functions.spark.sql
-- have the same names with the same meaning.

-- The first group of a regular expression, or null. Patterns use no backslash: engines read it differently.
CREATE MACRO first_group(text, pattern) AS nullif(regexp_extract(text, pattern, 1), '');
-- Whether a regular expression occurs in a text.
CREATE MACRO has_match(text, pattern) AS regexp_matches(text, pattern);
-- Seconds since the epoch of a day and a time in UTC, such as 2026-11-30 and 12:00:00. Null for a day that is none.
CREATE MACRO seconds_of(day_text, time_text) AS CAST(epoch(TRY_CAST(day_text || ' ' || time_text AS TIMESTAMP)) AS BIGINT);
-- SHA-256 in lower-case hexadecimal digits.
CREATE MACRO sha256_hex(text) AS sha256(text);
-- The text in correct base64. Null if it is not UTF-8.
CREATE MACRO base64_text(text) AS TRY(decode(from_base64(text)));
