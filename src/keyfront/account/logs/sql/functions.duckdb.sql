-- What each engine says in its own words. The views use these names; functions.athena.sql and functions.spark.sql
-- have the same names with the same meaning.

-- The first group of a regular expression, or null. Patterns use no backslash: engines read it differently.
CREATE MACRO first_group(text, pattern) AS nullif(regexp_extract(text, pattern, 1), '');
-- Whether a regular expression occurs in a text.
CREATE MACRO has_match(text, pattern) AS regexp_matches(text, pattern);
-- What is between the first `mark` in a text and the next `stop`. Empty or null without the mark. DuckDB's split_part
-- would compute its text twice.
CREATE MACRO text_between(text, mark, stop) AS string_split(string_split(text, mark)[2], stop)[1];
-- Seconds since the epoch of a day and a time in UTC, such as 2026-11-30 and 12:00:00. Null for a day that is none.
CREATE MACRO seconds_of(day_text, time_text) AS date_diff('day', DATE '1970-01-01', TRY_CAST(day_text AS DATE)) * 86400 + date_diff('second', TIME '00:00:00', TRY_CAST(time_text AS TIME));
-- SHA-256 in lower-case hexadecimal digits.
CREATE MACRO sha256_hex(text) AS sha256(text);
-- The text in correct base64. Null if it is not UTF-8.
CREATE MACRO base64_text(text) AS TRY(decode(from_base64(text)));
