-- One row for each request, with the facts that its URL or its cookies show. Reads `logs`, whose columns are texts.
-- CloudFront percent-encodes the values once (`%` is `%25`, `~` is `%7E`), so they are decoded once.
WITH split AS (
  -- Real-time logs may have the query string behind the path.
  SELECT
    *,
    CASE WHEN cs_uri_stem LIKE '%?%' THEN split_part(cs_uri_stem, '?', 1) ELSE cs_uri_stem END AS path,
    CASE
      WHEN cs_uri_query <> '-' THEN cs_uri_query
      WHEN cs_uri_stem LIKE '%?%' THEN split_part(cs_uri_stem, '?', 2)
      ELSE ''
    END AS query
  FROM logs
),
sent AS (
  SELECT
    *,
    '&' || replace(query, '%25', '%') || '&' AS query_text,
    CASE WHEN cs_cookie <> '-' THEN
      '; ' || replace(replace(replace(cs_cookie, '%25', '%'), '%20', ' '), ';CloudFront-', '; CloudFront-') || ';'
    END AS cookie_text
  FROM split
),
named AS (
  SELECT
    *,
    CASE
      WHEN query_text LIKE '%&Signature=%' OR query_text LIKE '%&Policy=%' OR query_text LIKE '%&Key-Pair-Id=%'
        OR query_text LIKE '%&Expires=%' OR query_text LIKE '%&Hash-Algorithm=%' THEN 'url'
      WHEN cookie_text LIKE '%CloudFront-Signature=%' OR cookie_text LIKE '%CloudFront-Policy=%'
        OR cookie_text LIKE '%CloudFront-Key-Pair-Id=%' OR cookie_text LIKE '%CloudFront-Expires=%' THEN 'cookie'
      ELSE 'none'
    END AS credentials
  FROM sent
),
given AS (
  -- Plain searches, not regular expressions: they take a tenth of the time.
  SELECT
    *,
    CASE credentials
      WHEN 'url' THEN nullif(text_between(query_text, '&Key-Pair-Id=', '&'), '')
      WHEN 'cookie' THEN nullif(text_between(cookie_text, '; CloudFront-Key-Pair-Id=', ';'), '')
    END AS sent_key_pair_id,
    CASE credentials
      WHEN 'url' THEN nullif(text_between(query_text, '&Expires=', '&'), '')
      WHEN 'cookie' THEN nullif(text_between(cookie_text, '; CloudFront-Expires=', ';'), '')
    END AS sent_expires,
    CASE
      WHEN credentials = 'url' AND query_text LIKE '%&Hash-Algorithm=%'
        THEN nullif(text_between(query_text, '&Hash-Algorithm=', '&'), '')
      WHEN credentials = 'cookie'
        THEN nullif(text_between(cookie_text, '; CloudFront-Hash-Algorithm=', ';'), '')
    END AS hash_name,
    CASE credentials
      WHEN 'url' THEN nullif(text_between(query_text, '&Signature=', '&'), '')
      WHEN 'cookie' THEN nullif(text_between(cookie_text, '; CloudFront-Signature=', ';'), '')
    END AS sent_signature,
    CASE
      WHEN credentials = 'url' AND query_text LIKE '%&Policy=%'
        THEN replace(replace(text_between(query_text, '&Policy=', '&'), '%7E', '~'), '%7e', '~')
      WHEN credentials = 'cookie'
        THEN replace(nullif(text_between(cookie_text, '; CloudFront-Policy=', ';'), ''), '%7E', '~')
    END AS encoded_policy
  FROM named
),
decoded AS (
  SELECT
    *,
    CASE
      WHEN length(encoded_policy) <= 16384 AND length(encoded_policy) % 4 = 0
        AND has_match(encoded_policy, '^[A-Za-z0-9~-]+_{0,2}$')
        THEN base64_text(replace(replace(replace(encoded_policy, '-', '+'), '_', '='), '~', '/'))
    END AS policy_text
  FROM given
),
policies AS (
  SELECT
    *,
    -- A policy that is not plain ASCII is left to the judge: engines decode wrong UTF-8 differently.
    CASE WHEN has_match(policy_text, '^[ -~]+$') THEN policy_text END AS policy
  FROM decoded
),
typed AS (
  SELECT
    *,
    coalesce(
      CASE WHEN "date" LIKE '____-__-__' AND has_match("time", '^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]$')
        THEN seconds_of("date", "time") END,
      CASE WHEN has_match("timestamp", '^[0-9]{9,11}([.][0-9]*)?$')
        THEN CAST(split_part("timestamp", '.', 1) AS BIGINT) END,
      CASE WHEN has_match("timestamp_ms", '^[0-9]{12,14}$')
        THEN CAST(substr("timestamp_ms", 1, length("timestamp_ms") - 3) AS BIGINT) END
    ) AS "at",
    CASE WHEN has_match(sc_status, '^[0-9]{1,3}$') THEN CAST(sc_status AS BIGINT) END AS status,
    CASE WHEN has_match(sent_key_pair_id, '^[A-Za-z0-9]{1,64}$') THEN sent_key_pair_id END AS key_pair_id,
    -- Its end, of which 64 characters count: each may be three in the log.
    replace(replace(substr(sent_signature, greatest(length(sent_signature) - 191, 1)), '%7E', '~'), '%7e', '~')
      AS signature,
    nullif(c_ip, '-') AS address,
    -- Standard logs have the distribution's name in cs(Host), and the viewer's host in x-host-header. Real-time logs
    -- have them the other way round (assumed), so the name shows which is which.
    CASE WHEN cs_host LIKE '%.cloudfront.%' OR cs_host = '-' OR cs_host IS NULL THEN false
      ELSE coalesce(x_host_header LIKE '%.cloudfront.%', false) END AS hosts_swapped
  FROM policies
)
SELECT
  "at",
  "at" - ("at" % 3600) AS "hour",
  CASE WHEN has_match(time_taken, '^[0-9]{1,9}([.][0-9]{1,6})?$') THEN CAST(time_taken AS DOUBLE) END AS taken,
  coalesce(
    nullif(distributionid, '-'),
    -- The folder is named as the suffix path writes the variable: {DistributionId} or {distributionid}.
    first_group(file, '/[Dd]istribution[Ii]d=([A-Z0-9]{12,15})/'),
    first_group(file, '([A-Z0-9]{12,15})[.][0-9]{4}-[0-9]{2}-[0-9]{2}-[0-9]{2}[.]'),
    CASE WHEN hosts_swapped THEN x_host_header ELSE nullif(cs_host, '-') END,
    'unknown'
  ) AS distribution,
  lower(coalesce(
    CASE WHEN hosts_swapped THEN cs_host ELSE nullif(x_host_header, '-') END, nullif(cs_host, '-'), 'unknown'
  )) AS host,
  path,
  coalesce(
    nullif(nullif(cache_behavior_path_pattern, '-'), ''),
    coalesce(first_group(path, '^(/[^/]+/)'), '/') || '*'
  ) AS pattern,
  status,
  CASE WHEN has_match(sc_bytes, '^[0-9]{1,15}$') THEN CAST(sc_bytes AS BIGINT) END AS bytes,
  address,
  coalesce(
    first_group(address, '^([0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3})[.][0-9]{1,3}$') || '.0/24',
    CASE WHEN has_match(address, '^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$') THEN lower(
      coalesce(nullif(split_part(split_part(address, '::', 1), ':', 1), ''), '0') || ':'
      || coalesce(nullif(split_part(split_part(address, '::', 1), ':', 2), ''), '0') || ':'
      || coalesce(nullif(split_part(split_part(address, '::', 1), ':', 3), ''), '0') || '::/48')
    END,
    'unknown'
  ) AS network,
  nullif(c_country, '-') AS country,
  coalesce(nullif(cs_user_agent, '-'), '') AS agent,
  coalesce(lower(first_group(cs_referer, '^https?://([^/?]+)')), '') AS referrer,
  credentials,
  key_pair_id,
  CASE
    WHEN credentials <> 'none' AND coalesce(hash_name, 'SHA1') IN ('SHA1', 'SHA256') THEN coalesce(hash_name, 'SHA1')
  END AS hash_algorithm,
  CASE
    WHEN encoded_policy IS NULL AND has_match(sent_expires, '^[0-9]{1,10}$') THEN CAST(sent_expires AS BIGINT)
    WHEN encoded_policy IS NOT NULL
      THEN CAST(first_group(policy, '"DateLessThan"[^}]*"AWS:EpochTime" *: *([0-9]{1,10})[ },]') AS BIGINT)
  END AS expires,
  CAST(first_group(policy, '"DateGreaterThan"[^}]*"AWS:EpochTime" *: *([0-9]{1,10})[ },]') AS BIGINT) AS starts,
  first_group(policy, '"AWS:SourceIp" *: *"([0-9./]{7,18})"') AS policy_address,
  -- The same signature is the same link, and its end is enough to know it. The signature itself goes no further.
  -- An edge on a laptop logs this hash instead of the signature.
  CASE
    WHEN has_match(signature, '^hidden-[0-9a-f]{16}$') THEN substr(signature, 8, 16)
    WHEN signature IS NOT NULL THEN substr(sha256_hex(substr(signature, greatest(length(signature) - 63, 1), 64)), 1, 16)
  END AS link,
  status = 403 OR (status < 400 AND coalesce(x_edge_result_type, '-') = 'Error') AS maybe_refused,
  -- Redirects to https come before the check of the signature. An error may be behind a custom error page.
  status BETWEEN 200 AND 399
    AND coalesce(x_edge_result_type, '-') NOT IN ('Error', 'Redirect', 'LimitExceeded', 'CapacityExceeded') AS allowed,
  coalesce(nullif(x_edge_detailed_result_type, '-'), nullif(x_edge_result_type, '-'), '') AS detail,
  coalesce(nullif(cs_protocol, '-'), 'https') AS scheme,
  coalesce(nullif(cs_method, '-'), 'GET') AS method,
  -- As logged: the judge decodes them, byte by byte.
  query,
  coalesce(nullif(cs_cookie, '-'), '') AS cookie,
  coalesce(nullif(cs_cookie, '-'), '') <> '' AS has_cookie,
  file
FROM typed
