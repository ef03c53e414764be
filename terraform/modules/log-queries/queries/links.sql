WITH logs AS (
  SELECT "date", "time", "timestamp", "timestamp_ms", "distributionid", "cs_host", "x_host_header", "cs_protocol", "cs_method", "cs_uri_stem", "cs_uri_query", "cs_cookie", "cs_referer", "cs_user_agent", "c_ip", "c_country", "sc_status", "sc_bytes", "time_taken", "x_edge_result_type", "x_edge_detailed_result_type", "cache_behavior_path_pattern", "$path" AS file
  FROM ${table}
  WHERE ${where}
), requests AS (
WITH split AS (
  SELECT
    *,
    CASE
      WHEN cs_uri_stem LIKE '%?%'
      THEN SPLIT_PART(cs_uri_stem, '?', 1)
      ELSE cs_uri_stem
    END AS path,
    CASE
      WHEN cs_uri_query <> '-'
      THEN cs_uri_query
      WHEN cs_uri_stem LIKE '%?%'
      THEN SPLIT_PART(cs_uri_stem, '?', 2)
      ELSE ''
    END AS query
  FROM logs
), sent AS (
  SELECT
    *,
    CONCAT(
      CAST('&' AS VARCHAR),
      CAST(REPLACE(query, '%25', '%') AS VARCHAR),
      CAST('&' AS VARCHAR)
    ) AS query_text,
    CASE
      WHEN cs_cookie <> '-'
      THEN CONCAT(
        CAST('; ' AS VARCHAR),
        CAST(REPLACE(REPLACE(REPLACE(cs_cookie, '%25', '%'), '%20', ' '), ';CloudFront-', '; CloudFront-') AS VARCHAR),
        CAST(';' AS VARCHAR)
      )
    END AS cookie_text
  FROM split
), named AS (
  SELECT
    *,
    CASE
      WHEN query_text LIKE '%&Signature=%'
      OR query_text LIKE '%&Policy=%'
      OR query_text LIKE '%&Key-Pair-Id=%'
      OR query_text LIKE '%&Expires=%'
      OR query_text LIKE '%&Hash-Algorithm=%'
      THEN 'url'
      WHEN cookie_text LIKE '%CloudFront-Signature=%'
      OR cookie_text LIKE '%CloudFront-Policy=%'
      OR cookie_text LIKE '%CloudFront-Key-Pair-Id=%'
      OR cookie_text LIKE '%CloudFront-Expires=%'
      THEN 'cookie'
      ELSE 'none'
    END AS credentials
  FROM sent
), given AS (
  SELECT
    *,
    CASE credentials
      WHEN 'url'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(query_text, '&Key-Pair-Id=', 2), '&', 1), '')
      WHEN 'cookie'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(cookie_text, '; CloudFront-Key-Pair-Id=', 2), ';', 1), '')
    END AS sent_key_pair_id,
    CASE credentials
      WHEN 'url'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(query_text, '&Expires=', 2), '&', 1), '')
      WHEN 'cookie'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(cookie_text, '; CloudFront-Expires=', 2), ';', 1), '')
    END AS sent_expires,
    CASE
      WHEN credentials = 'url' AND query_text LIKE '%&Hash-Algorithm=%'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(query_text, '&Hash-Algorithm=', 2), '&', 1), '')
      WHEN credentials = 'cookie'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(cookie_text, '; CloudFront-Hash-Algorithm=', 2), ';', 1), '')
    END AS hash_name,
    CASE credentials
      WHEN 'url'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(query_text, '&Signature=', 2), '&', 1), '')
      WHEN 'cookie'
      THEN NULLIF(SPLIT_PART(SPLIT_PART(cookie_text, '; CloudFront-Signature=', 2), ';', 1), '')
    END AS sent_signature,
    CASE
      WHEN credentials = 'url' AND query_text LIKE '%&Policy=%'
      THEN REPLACE(
        REPLACE(SPLIT_PART(SPLIT_PART(query_text, '&Policy=', 2), '&', 1), '%7E', '~'),
        '%7e',
        '~'
      )
      WHEN credentials = 'cookie'
      THEN REPLACE(
        NULLIF(SPLIT_PART(SPLIT_PART(cookie_text, '; CloudFront-Policy=', 2), ';', 1), ''),
        '%7E',
        '~'
      )
    END AS encoded_policy
  FROM named
), decoded AS (
  SELECT
    *,
    CASE
      WHEN LENGTH(encoded_policy) <= 16384
      AND LENGTH(encoded_policy) % 4 = 0
      AND REGEXP_LIKE(encoded_policy, '^[A-Za-z0-9~-]+_{0,2}$')
      THEN TRY(
        FROM_UTF8(
          FROM_BASE64(REPLACE(REPLACE(REPLACE(encoded_policy, '-', '+'), '_', '='), '~', '/'))
        )
      )
    END AS policy_text
  FROM given
), policies AS (
  SELECT
    *,
    CASE WHEN REGEXP_LIKE(policy_text, '^[ -~]+$') THEN policy_text END AS policy
  FROM decoded
), typed AS (
  SELECT
    *,
    COALESCE(
      CASE
        WHEN "date" LIKE '____-__-__'
        AND REGEXP_LIKE("time", '^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$')
        THEN DATE_DIFF('DAY', CAST('1970-01-01' AS DATE), TRY_CAST("date" AS DATE)) * 86400 + CAST(SUBSTR("time", 1, 2) AS BIGINT) * 3600 + CAST(SUBSTR("time", 4, 2) AS BIGINT) * 60 + CAST(SUBSTR("time", 7, 2) AS BIGINT)
      END,
      CASE
        WHEN REGEXP_LIKE("timestamp", '^[0-9]{9,11}([.][0-9]*)?$')
        THEN CAST(SPLIT_PART("timestamp", '.', 1) AS BIGINT)
      END,
      CASE
        WHEN REGEXP_LIKE("timestamp_ms", '^[0-9]{12,14}$')
        THEN CAST(SUBSTR("timestamp_ms", 1, LENGTH("timestamp_ms") - 3) AS BIGINT)
      END
    ) AS "at",
    CASE WHEN REGEXP_LIKE(sc_status, '^[0-9]{1,3}$') THEN CAST(sc_status AS BIGINT) END AS status,
    CASE
      WHEN REGEXP_LIKE(sent_key_pair_id, '^[A-Za-z0-9]{1,64}$')
      THEN sent_key_pair_id
    END AS key_pair_id,
    REPLACE(
      REPLACE(SUBSTR(sent_signature, GREATEST(LENGTH(sent_signature) - 191, 1)), '%7E', '~'),
      '%7e',
      '~'
    ) AS signature,
    NULLIF(c_ip, '-') AS address,
    CASE
      WHEN cs_host LIKE '%.cloudfront.%' OR cs_host = '-' OR cs_host IS NULL
      THEN FALSE
      ELSE COALESCE(x_host_header LIKE '%.cloudfront.%', FALSE)
    END AS hosts_swapped
  FROM policies
)
SELECT
  "at",
  "at" - (
    "at" % 3600
  ) AS "hour",
  CASE
    WHEN REGEXP_LIKE(time_taken, '^[0-9]{1,9}([.][0-9]{1,6})?$')
    THEN CAST(time_taken AS DOUBLE)
  END AS taken,
  COALESCE(
    NULLIF(distributionid, '-'),
    NULLIF(REGEXP_EXTRACT(file, '/[Dd]istribution[Ii]d=([A-Z0-9]{12,15})/', 1), ''),
    NULLIF(
      REGEXP_EXTRACT(file, '([A-Z0-9]{12,15})[.][0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}[.]', 1),
      ''
    ),
    CASE WHEN hosts_swapped THEN x_host_header ELSE NULLIF(cs_host, '-') END,
    'unknown'
  ) AS distribution,
  LOWER(
    COALESCE(
      CASE WHEN hosts_swapped THEN cs_host ELSE NULLIF(x_host_header, '-') END,
      NULLIF(cs_host, '-'),
      'unknown'
    )
  ) AS host,
  path,
  COALESCE(
    NULLIF(NULLIF(cache_behavior_path_pattern, '-'), ''),
    CONCAT(
      CAST(COALESCE(NULLIF(REGEXP_EXTRACT(path, '^(/[^/]+/)', 1), ''), '/') AS VARCHAR),
      CAST('*' AS VARCHAR)
    )
  ) AS pattern,
  status,
  CASE WHEN REGEXP_LIKE(sc_bytes, '^[0-9]{1,15}$') THEN CAST(sc_bytes AS BIGINT) END AS bytes,
  address,
  COALESCE(
    CONCAT(
      CAST(NULLIF(
        REGEXP_EXTRACT(address, '^([0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3})[.][0-9]{1,3}$', 1),
        ''
      ) AS VARCHAR),
      CAST('.0/24' AS VARCHAR)
    ),
    CASE
      WHEN REGEXP_LIKE(address, '^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$')
      THEN LOWER(
        CONCAT(
          CAST(COALESCE(NULLIF(SPLIT_PART(SPLIT_PART(address, '::', 1), ':', 1), ''), '0') AS VARCHAR),
          CAST(':' AS VARCHAR),
          CAST(COALESCE(NULLIF(SPLIT_PART(SPLIT_PART(address, '::', 1), ':', 2), ''), '0') AS VARCHAR),
          CAST(':' AS VARCHAR),
          CAST(COALESCE(NULLIF(SPLIT_PART(SPLIT_PART(address, '::', 1), ':', 3), ''), '0') AS VARCHAR),
          CAST('::/48' AS VARCHAR)
        )
      )
    END,
    'unknown'
  ) AS network,
  NULLIF(c_country, '-') AS country,
  COALESCE(NULLIF(cs_user_agent, '-'), '') AS agent,
  COALESCE(LOWER(NULLIF(REGEXP_EXTRACT(cs_referer, '^https?://([^/?]+)', 1), '')), '') AS referrer,
  credentials,
  key_pair_id,
  CASE
    WHEN credentials <> 'none' AND COALESCE(hash_name, 'SHA1') IN ('SHA1', 'SHA256')
    THEN COALESCE(hash_name, 'SHA1')
  END AS hash_algorithm,
  CASE
    WHEN encoded_policy IS NULL AND REGEXP_LIKE(sent_expires, '^[0-9]{1,10}$')
    THEN CAST(sent_expires AS BIGINT)
    WHEN NOT encoded_policy IS NULL
    THEN CAST(NULLIF(
      REGEXP_EXTRACT(policy, '"DateLessThan"[^}]*"AWS:EpochTime" *: *([0-9]{1,10})[ },]', 1),
      ''
    ) AS BIGINT)
  END AS expires,
  CAST(NULLIF(
    REGEXP_EXTRACT(policy, '"DateGreaterThan"[^}]*"AWS:EpochTime" *: *([0-9]{1,10})[ },]', 1),
    ''
  ) AS BIGINT) AS starts,
  NULLIF(REGEXP_EXTRACT(policy, '"AWS:SourceIp" *: *"([0-9./]{7,18})"', 1), '') AS policy_address,
  CASE
    WHEN REGEXP_LIKE(signature, '^hidden-[0-9a-f]{16}$')
    THEN SUBSTR(signature, 8, 16)
    WHEN NOT signature IS NULL
    THEN SUBSTR(
      LOWER(
        TO_HEX(SHA256(TO_UTF8(SUBSTR(signature, GREATEST(LENGTH(signature) - 63, 1), 64))))
      ),
      1,
      16
    )
  END AS link,
  status = 403
  OR (
    status < 400 AND COALESCE(x_edge_result_type, '-') = 'Error'
  ) AS maybe_refused,
  status BETWEEN 200 AND 399
  AND NOT COALESCE(x_edge_result_type, '-') IN ('Error', 'Redirect', 'LimitExceeded', 'CapacityExceeded') AS allowed,
  COALESCE(NULLIF(x_edge_detailed_result_type, '-'), NULLIF(x_edge_result_type, '-'), '') AS detail,
  COALESCE(NULLIF(cs_protocol, '-'), 'https') AS scheme,
  COALESCE(NULLIF(cs_method, '-'), 'GET') AS method,
  query,
  COALESCE(NULLIF(cs_cookie, '-'), '') AS cookie,
  COALESCE(NULLIF(cs_cookie, '-'), '') <> '' AS has_cookie,
  file
FROM typed
), visits AS (
SELECT
  link,
  network,
  "hour",
  MIN(key_pair_id) AS key_pair_id,
  MIN(distribution) AS distribution,
  MIN(credentials) AS credentials,
  MIN(path) AS path,
  MIN(country) AS country,
  MIN(agent) AS agent,
  MIN(referrer) AS referrer,
  MAX(expires) AS expires,
  COUNT(*) AS requests,
  SUM(COALESCE(bytes, 0)) AS bytes,
  MIN("at") AS first_seen,
  MAX("at") AS last_seen,
  SUM(CASE WHEN "at" > expires + 1 THEN 1 ELSE 0 END) AS past_expiry
FROM requests
WHERE
  NOT link IS NULL AND allowed
GROUP BY
  link,
  network,
  "hour"
)
WITH hours AS (
  SELECT
    link,
    "hour",
    COUNT(*) AS networks,
    COUNT(DISTINCT country) AS countries
  FROM visits
  GROUP BY
    link,
    "hour"
), busiest AS (
  SELECT
    link,
    MAX(networks) AS networks_in_an_hour,
    MAX(countries) AS countries_in_an_hour
  FROM hours
  GROUP BY
    link
), networks AS (
  SELECT
    link,
    network,
    MIN(key_pair_id) AS key_pair_id,
    MIN(distribution) AS distribution,
    MIN(credentials) AS credentials,
    MIN(path) AS path,
    MAX(expires) AS expires,
    SUM(requests) AS requests,
    SUM(bytes) AS bytes,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    SUM(past_expiry) AS past_expiry
  FROM visits
  GROUP BY
    link,
    network
), whole AS (
  SELECT
    link,
    MIN(key_pair_id) AS key_pair_id,
    MIN(distribution) AS distribution,
    MIN(credentials) AS credentials,
    MIN(path) AS path,
    MAX(expires) AS expires,
    COUNT(*) AS networks,
    SUM(requests) AS requests,
    SUM(bytes) AS bytes,
    MIN(first_seen) AS first_seen,
    MAX(last_seen) AS last_seen,
    SUM(past_expiry) AS past_expiry,
    SUM(requests) - MIN_BY(requests, CONCAT(CAST(first_seen AS VARCHAR), CAST(network AS VARCHAR))) AS from_other_networks
  FROM networks
  GROUP BY
    link
), variety AS (
  SELECT
    link,
    COUNT(DISTINCT country) AS countries,
    COUNT(DISTINCT agent) AS agents
  FROM visits
  GROUP BY
    link
)
SELECT
  whole.*,
  busiest.networks_in_an_hour,
  busiest.countries_in_an_hour,
  variety.countries,
  variety.agents
FROM whole
JOIN busiest
  ON busiest.link = whole.link
JOIN variety
  ON variety.link = whole.link
