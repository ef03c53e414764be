-- The sites that led to signed links. Many networks for each link is a hot link: a page that shows somebody's link.
SELECT
  referrer,
  sum(requests) AS requests,
  count(DISTINCT link) AS links,
  count(DISTINCT network) AS networks
FROM visits
WHERE referrer <> ''
GROUP BY referrer
