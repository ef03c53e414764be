CREATE MACRO first_group(text, pattern) AS nullif(regexp_extract(text, pattern, 1), '');
CREATE MACRO has_match(text, pattern) AS regexp_like(text, pattern);
CREATE MACRO text_between(text, mark, stop) AS split_part(split_part(text, mark, 2), stop, 1);
CREATE MACRO seconds_of(day_text, time_text) AS date_diff('day', DATE '1970-01-01', TRY_CAST(day_text AS DATE)) * 86400 + CAST(substr(time_text, 1, 2) AS BIGINT) * 3600 + CAST(substr(time_text, 4, 2) AS BIGINT) * 60 + CAST(substr(time_text, 7, 2) AS BIGINT);
CREATE MACRO sha256_hex(text) AS lower(to_hex(sha256(to_utf8(text))));
CREATE MACRO base64_text(text) AS TRY(from_utf8(from_base64(text)));
