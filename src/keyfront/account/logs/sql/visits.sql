-- One row for each signature, network and hour in which it opened something. Everything about sharing is made of these.
SELECT
  link,
  network,
  "hour",
  min(key_pair_id) AS key_pair_id,
  min(distribution) AS distribution,
  min(credentials) AS credentials,
  min(path) AS path,
  min(country) AS country,
  min(agent) AS agent,
  min(referrer) AS referrer,
  max(expires) AS expires,
  count(*) AS requests,
  sum(coalesce(bytes, 0)) AS bytes,
  min("at") AS first_seen,
  max("at") AS last_seen,
  sum(CASE WHEN "at" > expires + 1 THEN 1 ELSE 0 END) AS past_expiry
FROM requests
WHERE link IS NOT NULL AND allowed
GROUP BY link, network, "hour"
