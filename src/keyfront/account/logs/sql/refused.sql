-- Why requests were refused, an hour at a time. `reason` is known after the requests were judged again (see judging.py).
SELECT
  reason,
  "hour",
  distribution,
  key_pair_id,
  credentials,
  path,
  network,
  agent,
  referrer,
  count(*) AS requests,
  count(DISTINCT link) AS links,
  min("at") AS first_seen,
  max("at") AS last_seen
FROM refusals
GROUP BY reason, "hour", distribution, key_pair_id, credentials, path, network, agent, referrer
