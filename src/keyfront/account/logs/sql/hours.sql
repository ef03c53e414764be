-- Requests over time.
SELECT
  "hour",
  count(*) AS requests,
  sum(CASE WHEN key_pair_id IS NOT NULL THEN 1 ELSE 0 END) AS signed,
  sum(CASE WHEN allowed THEN 1 ELSE 0 END) AS allowed,
  sum(CASE WHEN maybe_refused THEN 1 ELSE 0 END) AS refused,
  sum(coalesce(bytes, 0)) AS bytes
FROM requests
GROUP BY "hour"
