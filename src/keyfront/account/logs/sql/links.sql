-- One row for each signature that opened something: from how many networks, countries and programs.
WITH hours AS (
  SELECT link, "hour", count(*) AS networks, count(DISTINCT country) AS countries FROM visits GROUP BY link, "hour"
),
busiest AS (
  SELECT link, max(networks) AS networks_in_an_hour, max(countries) AS countries_in_an_hour FROM hours GROUP BY link
),
networks AS (
  SELECT
    link,
    network,
    min(key_pair_id) AS key_pair_id,
    min(distribution) AS distribution,
    min(credentials) AS credentials,
    min(path) AS path,
    max(expires) AS expires,
    sum(requests) AS requests,
    sum(bytes) AS bytes,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(past_expiry) AS past_expiry
  FROM visits
  GROUP BY link, network
),
whole AS (
  SELECT
    link,
    min(key_pair_id) AS key_pair_id,
    min(distribution) AS distribution,
    min(credentials) AS credentials,
    min(path) AS path,
    max(expires) AS expires,
    count(*) AS networks,
    sum(requests) AS requests,
    sum(bytes) AS bytes,
    min(first_seen) AS first_seen,
    max(last_seen) AS last_seen,
    sum(past_expiry) AS past_expiry,
    -- What a policy for the first viewer's network would have stopped.
    sum(requests) - min_by(requests, CAST(first_seen AS VARCHAR) || network) AS from_other_networks
  FROM networks
  GROUP BY link
),
variety AS (
  SELECT link, count(DISTINCT country) AS countries, count(DISTINCT agent) AS agents FROM visits GROUP BY link
)
SELECT
  whole.*,
  busiest.networks_in_an_hour,
  busiest.countries_in_an_hour,
  variety.countries,
  variety.agents
FROM whole
JOIN busiest ON busiest.link = whole.link
JOIN variety ON variety.link = whole.link
