-- Who used which key: one row for each key-pair id, distribution and path pattern.
SELECT
  key_pair_id,
  distribution,
  pattern,
  count(*) AS requests,
  sum(CASE WHEN allowed THEN 1 ELSE 0 END) AS allowed,
  sum(CASE WHEN maybe_refused THEN 1 ELSE 0 END) AS refused,
  sum(coalesce(bytes, 0)) AS bytes,
  min("at") AS first_seen,
  max("at") AS last_seen,
  max(CASE WHEN allowed THEN "at" END) AS last_allowed,
  -- Only what was allowed counts: everybody can write any time into a link that nobody signed.
  max(CASE WHEN allowed THEN expires END) AS latest_expiry,
  sum(CASE WHEN hash_algorithm = 'SHA1' THEN 1 ELSE 0 END) AS sha1,
  sum(CASE WHEN hash_algorithm = 'SHA256' THEN 1 ELSE 0 END) AS sha256,
  sum(CASE WHEN credentials = 'url' THEN 1 ELSE 0 END) AS by_url,
  sum(CASE WHEN credentials = 'cookie' THEN 1 ELSE 0 END) AS by_cookie
FROM requests
WHERE key_pair_id IS NOT NULL
GROUP BY key_pair_id, distribution, pattern
