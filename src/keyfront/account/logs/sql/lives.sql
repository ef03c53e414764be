-- What shorter lives would have stopped: requests later than so many hours after a signature's first one.
SELECT
  count(DISTINCT visits.link) AS links,
  coalesce(sum(visits.requests), 0) AS requests,
  coalesce(sum(CASE WHEN visits.first_seen > firsts.first_seen + 3600 THEN visits.requests ELSE 0 END), 0) AS after_1_hour,
  coalesce(sum(CASE WHEN visits.first_seen > firsts.first_seen + 21600 THEN visits.requests ELSE 0 END), 0) AS after_6_hours,
  coalesce(sum(CASE WHEN visits.first_seen > firsts.first_seen + 86400 THEN visits.requests ELSE 0 END), 0) AS after_1_day,
  coalesce(sum(CASE WHEN visits.network <> firsts.network THEN visits.requests ELSE 0 END), 0) AS from_other_networks,
  coalesce(sum(visits.past_expiry), 0) AS past_expiry
FROM visits
JOIN (
  SELECT link, min(first_seen) AS first_seen, min_by(network, CAST(first_seen AS VARCHAR) || network) AS network FROM visits GROUP BY link
) AS firsts ON firsts.link = visits.link
