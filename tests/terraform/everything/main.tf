# Every CloudFront resource of the AWS provider that the control plane claims, with every argument that can change.
# `revision` 1 is what is made first; 2 changes all of them.

variable "revision" {
  description = "1, or 2 for everything changed."
  type        = number
  default     = 1
}

variable "public_keys" {
  description = "Public keys, PEM."
  type        = map(string)
}

locals {
  first       = var.revision == 1
  balancer    = "arn:aws:elasticloadbalancing:us-east-1:123456789012:loadbalancer/app/shop/0123456789abcdef"
  certificate = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
}

resource "aws_cloudfront_public_key" "this" {
  for_each    = var.public_keys
  name        = "key-${each.key}"
  encoded_key = each.value
  comment     = local.first ? "first" : "second"
}

resource "aws_cloudfront_key_group" "this" {
  name    = local.first ? "readers" : "subscribers"
  comment = local.first ? "who may read" : null
  items   = [for name, key in aws_cloudfront_public_key.this : key.id if local.first || name == "b"]
}

resource "aws_cloudfront_origin_access_control" "this" {
  name                              = "bucket"
  description                       = local.first ? "signs always" : "signs sometimes"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = local.first ? "always" : "no-override"
  signing_protocol                  = "sigv4"
}

resource "aws_cloudfront_origin_access_identity" "this" {
  comment = local.first ? "the older way" : "the old way"
}

resource "aws_cloudfront_cache_policy" "this" {
  name        = local.first ? "an-hour" : "a-minute"
  comment     = local.first ? "an hour" : null
  min_ttl     = local.first ? 1 : 0
  default_ttl = local.first ? 3600 : 60
  max_ttl     = local.first ? 86400 : 60

  parameters_in_cache_key_and_forwarded_to_origin {
    enable_accept_encoding_brotli = local.first
    enable_accept_encoding_gzip   = true

    cookies_config {
      cookie_behavior = local.first ? "whitelist" : "all"

      dynamic "cookies" {
        for_each = local.first ? [1] : []
        content {
          items = ["session", "language"]
        }
      }
    }

    headers_config {
      header_behavior = local.first ? "none" : "whitelist"

      dynamic "headers" {
        for_each = local.first ? [] : [1]
        content {
          items = ["Origin", "Host"]
        }
      }
    }

    query_strings_config {
      query_string_behavior = local.first ? "allExcept" : "none"

      dynamic "query_strings" {
        for_each = local.first ? [1] : []
        content {
          items = ["utm_source"]
        }
      }
    }
  }
}

resource "aws_cloudfront_origin_request_policy" "this" {
  name    = "to-the-origin"
  comment = local.first ? "some headers" : "all but one"

  cookies_config {
    cookie_behavior = local.first ? "none" : "whitelist"

    dynamic "cookies" {
      for_each = local.first ? [] : [1]
      content {
        items = ["session"]
      }
    }
  }

  headers_config {
    header_behavior = local.first ? "whitelist" : "allExcept"

    headers {
      items = local.first ? ["Referer", "User-Agent"] : ["Host"]
    }
  }

  query_strings_config {
    query_string_behavior = local.first ? "whitelist" : "none"

    dynamic "query_strings" {
      for_each = local.first ? [1] : []
      content {
        items = ["page"]
      }
    }
  }
}

resource "aws_cloudfront_response_headers_policy" "this" {
  name    = "on-the-way-back"
  comment = local.first ? "headers" : null

  cors_config {
    access_control_allow_credentials = local.first
    access_control_max_age_sec       = local.first ? 600 : 60
    origin_override                  = local.first

    access_control_allow_headers {
      items = local.first ? ["Authorization"] : ["*"]
    }
    access_control_allow_methods {
      items = local.first ? ["GET", "HEAD"] : ["ALL"]
    }
    access_control_allow_origins {
      items = local.first ? ["https://example.com", "https://example.org"] : ["*"]
    }
    access_control_expose_headers {
      items = ["ETag"]
    }
  }

  custom_headers_config {
    items {
      header   = "X-Shop"
      value    = local.first ? "open" : "closed"
      override = local.first
    }
  }

  remove_headers_config {
    items {
      header = local.first ? "X-Powered-By" : "Server-Name"
    }
  }

  security_headers_config {
    content_security_policy {
      content_security_policy = local.first ? "default-src 'self'" : "default-src 'none'"
      override                = true
    }
    content_type_options {
      override = local.first
    }
    frame_options {
      frame_option = local.first ? "DENY" : "SAMEORIGIN"
      override     = true
    }
    referrer_policy {
      referrer_policy = local.first ? "same-origin" : "no-referrer"
      override        = true
    }
    strict_transport_security {
      access_control_max_age_sec = local.first ? 3600 : 31536000
      include_subdomains         = local.first
      preload                    = false
      override                   = true
    }
    xss_protection {
      protection = true
      mode_block = local.first
      report_uri = local.first ? null : "https://example.com/report"
      override   = true
    }
  }

  server_timing_headers_config {
    enabled       = local.first
    sampling_rate = local.first ? 12.5 : 0
  }
}

resource "aws_cloudfront_realtime_log_config" "this" {
  name          = "every-request"
  sampling_rate = local.first ? 100 : 5
  fields        = local.first ? ["timestamp", "c-ip", "sc-status"] : ["timestamp", "cs-uri-stem"]

  endpoint {
    stream_type = "Kinesis"

    kinesis_stream_config {
      role_arn   = "arn:aws:iam::123456789012:role/logs"
      stream_arn = "arn:aws:kinesis:us-east-1:123456789012:stream/${local.first ? "logs" : "other"}"
    }
  }
}

resource "aws_cloudfront_field_level_encryption_profile" "this" {
  name    = local.first ? "cards" : "card-numbers"
  comment = local.first ? "of today" : null

  encryption_entities {
    items {
      public_key_id = aws_cloudfront_public_key.this["a"].id
      provider_id   = "shop"

      field_patterns {
        items = local.first ? ["card*"] : ["card-number", "card-name"]
      }
    }
  }
}

resource "aws_cloudfront_field_level_encryption_config" "this" {
  comment = local.first ? "of forms" : "of all forms"

  content_type_profile_config {
    forward_when_content_type_is_unknown = local.first

    content_type_profiles {
      items {
        content_type = "application/x-www-form-urlencoded"
        format       = "URLEncoded"
        profile_id   = local.first ? null : aws_cloudfront_field_level_encryption_profile.this.id
      }
    }
  }

  query_arg_profile_config {
    forward_when_query_arg_profile_is_unknown = local.first

    dynamic "query_arg_profiles" {
      for_each = local.first ? [1] : []
      content {
        items {
          profile_id = aws_cloudfront_field_level_encryption_profile.this.id
          query_arg  = "form"
        }
      }
    }
  }
}

resource "aws_cloudfront_vpc_origin" "this" {
  vpc_origin_endpoint_config {
    name                   = local.first ? "shop" : "store"
    arn                    = local.balancer
    http_port              = local.first ? 80 : 8080
    https_port             = 443
    origin_protocol_policy = local.first ? "https-only" : "http-only"

    origin_ssl_protocols {
      items    = ["TLSv1.2"]
      quantity = 1
    }
  }
}

resource "aws_cloudfront_distribution" "staging" {
  enabled             = local.first
  wait_for_deployment = false
  staging             = true
  comment             = local.first ? "tried out" : "tried again"

  origin {
    origin_id   = "server"
    domain_name = "server.example.com"

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  default_cache_behavior {
    target_origin_id       = "server"
    viewer_protocol_policy = "allow-all"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = data.aws_cloudfront_cache_policy.managed.id
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = true
  }
}

resource "aws_cloudfront_continuous_deployment_policy" "this" {
  enabled = local.first

  staging_distribution_dns_names {
    items    = [aws_cloudfront_distribution.staging.domain_name]
    quantity = 1
  }

  traffic_config {
    type = local.first ? "SingleWeight" : "SingleHeader"

    dynamic "single_weight_config" {
      for_each = local.first ? [1] : []
      content {
        weight = 0.1

        session_stickiness_config {
          idle_ttl    = 300
          maximum_ttl = 600
        }
      }
    }

    dynamic "single_header_config" {
      for_each = local.first ? [] : [1]
      content {
        header = "aws-cf-cd-test"
        value  = "yes"
      }
    }
  }
}

resource "aws_cloudfront_key_value_store" "this" {
  name    = "prices"
  comment = local.first ? "of today" : "of tomorrow"
}

# Without a comment: none comes back.
resource "aws_cloudfront_key_value_store" "bare" {
  name = "stock"
}

resource "aws_cloudfront_function" "this" {
  name    = "as-it-came"
  comment = local.first ? "as it came" : null
  runtime = local.first ? "cloudfront-js-1.0" : "cloudfront-js-2.0"
  publish = true
  code    = "function handler(event) { return event.request; } // ${var.revision}"

  key_value_store_associations = local.first ? [] : [aws_cloudfront_key_value_store.this.arn]
}

data "aws_cloudfront_cache_policy" "managed" {
  name = "Managed-CachingOptimized"
}

data "aws_cloudfront_origin_request_policy" "managed" {
  name = "Managed-CORS-S3Origin"
}

data "aws_cloudfront_response_headers_policy" "managed" {
  name = "Managed-SecurityHeadersPolicy"
}

resource "aws_cloudfront_distribution" "this" {
  enabled             = local.first
  wait_for_deployment = false
  comment             = local.first ? "everything" : "everything else"
  aliases             = local.first ? ["shop.example.com", "*.shop.example.com"] : ["www.example.com"]
  default_root_object = local.first ? "index.html" : null
  http_version        = local.first ? "http2" : "http2and3"
  is_ipv6_enabled     = local.first
  price_class         = local.first ? "PriceClass_All" : "PriceClass_100"
  web_acl_id          = local.first ? null : "arn:aws:wafv2:us-east-1:123456789012:global/webacl/a/473e64fd-f30b-4765-81a0-62ad96dd167a"

  origin {
    origin_id                = "bucket"
    domain_name              = "content.s3.us-east-1.amazonaws.com"
    origin_path              = local.first ? "/v1" : ""
    origin_access_control_id = aws_cloudfront_origin_access_control.this.id
    connection_attempts      = local.first ? 3 : 2
    connection_timeout       = local.first ? 10 : 5
  }

  origin {
    origin_id   = "older-bucket"
    domain_name = "older.s3.us-east-1.amazonaws.com"

    s3_origin_config {
      origin_access_identity = aws_cloudfront_origin_access_identity.this.cloudfront_access_identity_path
    }
  }

  origin {
    origin_id   = "server"
    domain_name = local.first ? "server.example.com" : "other.example.com"

    custom_header {
      name  = "X-Origin-Secret"
      value = local.first ? "one" : "two"
    }

    custom_origin_config {
      http_port                = local.first ? 80 : 8080
      https_port               = 443
      origin_protocol_policy   = local.first ? "https-only" : "match-viewer"
      origin_ssl_protocols     = local.first ? ["TLSv1.2"] : ["TLSv1.1", "TLSv1.2"]
      origin_keepalive_timeout = local.first ? 5 : 10
      origin_read_timeout      = local.first ? 30 : 60
    }

    # Taken away, not switched off: the provider reads a disabled block as none, and would plan it for ever.
    dynamic "origin_shield" {
      for_each = local.first ? [1] : []
      content {
        enabled              = true
        origin_shield_region = "eu-central-1"
      }
    }
  }

  origin {
    origin_id   = "private"
    domain_name = "internal.example.com"

    vpc_origin_config {
      vpc_origin_id            = aws_cloudfront_vpc_origin.this.id
      origin_keepalive_timeout = local.first ? 5 : 10
      origin_read_timeout      = local.first ? 30 : 60
    }
  }

  origin_group {
    origin_id = "either"

    failover_criteria {
      status_codes = local.first ? [500, 502] : [503]
    }
    member {
      origin_id = "older-bucket"
    }
    member {
      origin_id = "server"
    }
  }

  default_cache_behavior {
    target_origin_id           = local.first ? "bucket" : "either"
    viewer_protocol_policy     = "redirect-to-https"
    allowed_methods            = local.first ? ["GET", "HEAD", "OPTIONS"] : ["GET", "HEAD"]
    cached_methods             = ["GET", "HEAD"]
    compress                   = local.first
    cache_policy_id            = data.aws_cloudfront_cache_policy.managed.id
    origin_request_policy_id   = data.aws_cloudfront_origin_request_policy.managed.id
    response_headers_policy_id = data.aws_cloudfront_response_headers_policy.managed.id
    trusted_key_groups         = [aws_cloudfront_key_group.this.id]
  }

  ordered_cache_behavior {
    path_pattern               = local.first ? "/own/*" : "/ours/*"
    target_origin_id           = "server"
    viewer_protocol_policy     = local.first ? "https-only" : "allow-all"
    allowed_methods            = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    cached_methods             = ["GET", "HEAD", "OPTIONS"]
    cache_policy_id            = aws_cloudfront_cache_policy.this.id
    origin_request_policy_id   = aws_cloudfront_origin_request_policy.this.id
    response_headers_policy_id = aws_cloudfront_response_headers_policy.this.id
    realtime_log_config_arn    = aws_cloudfront_realtime_log_config.this.arn
    field_level_encryption_id  = local.first ? aws_cloudfront_field_level_encryption_config.this.id : null

    # In turns with field-level encryption: no source says whether a behavior may have both.
    grpc_config {
      enabled = !local.first
    }

    function_association {
      event_type   = local.first ? "viewer-request" : "viewer-response"
      function_arn = aws_cloudfront_function.this.arn
    }
  }

  ordered_cache_behavior {
    path_pattern           = "/legacy/*.mp4"
    target_origin_id       = "older-bucket"
    viewer_protocol_policy = "allow-all"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    smooth_streaming       = local.first
    min_ttl                = local.first ? 0 : 10
    default_ttl            = local.first ? 3600 : 60
    max_ttl                = local.first ? 86400 : 600
    trusted_key_groups     = local.first ? [] : [aws_cloudfront_key_group.this.id]
    trusted_signers        = local.first ? ["self"] : []

    forwarded_values {
      query_string            = true
      query_string_cache_keys = local.first ? ["v"] : []
      headers                 = local.first ? ["Origin"] : []

      cookies {
        forward           = local.first ? "whitelist" : "none"
        whitelisted_names = local.first ? ["session"] : []
      }
    }

    lambda_function_association {
      event_type   = "origin-request"
      lambda_arn   = "arn:aws:lambda:us-east-1:123456789012:function:edge:${var.revision}"
      include_body = local.first
    }
  }

  custom_error_response {
    error_code            = 403
    response_code         = local.first ? 200 : 404
    response_page_path    = local.first ? "/denied.html" : "/missing.html"
    error_caching_min_ttl = local.first ? 10 : 0
  }

  dynamic "custom_error_response" {
    for_each = local.first ? [1] : []
    content {
      error_code            = 500
      error_caching_min_ttl = 5
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = local.first ? "whitelist" : "none"
      locations        = local.first ? ["DE", "AT", "CH"] : []
    }
  }

  dynamic "logging_config" {
    for_each = local.first ? [1] : []
    content {
      bucket          = "logs.s3.amazonaws.com"
      prefix          = "shop/"
      include_cookies = true
    }
  }

  viewer_certificate {
    acm_certificate_arn      = local.certificate
    ssl_support_method       = "sni-only"
    minimum_protocol_version = local.first ? "TLSv1.2_2021" : "TLSv1.2_2019"
  }

  tags = local.first ? { team = "shop", stage = "test" } : { team = "reader" }
}

resource "aws_cloudfront_distribution" "smallest" {
  enabled                         = false
  wait_for_deployment             = local.first
  continuous_deployment_policy_id = aws_cloudfront_continuous_deployment_policy.this.id

  origin {
    origin_id   = "server"
    domain_name = "server.example.com"

    custom_origin_config {
      http_port              = 80
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
    }
  }

  default_cache_behavior {
    target_origin_id       = "server"
    viewer_protocol_policy = "allow-all"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]

    forwarded_values {
      query_string = false

      cookies {
        forward = "none"
      }
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = local.first
    iam_certificate_id             = local.first ? null : "ASCACKCEVSQ6C2EXAMPLE"
    ssl_support_method             = local.first ? null : "sni-only"
    minimum_protocol_version       = local.first ? null : "TLSv1.2_2021"
  }
}

data "aws_cloudfront_distribution" "this" {
  id = aws_cloudfront_distribution.this.id
}

data "aws_cloudfront_function" "this" {
  name  = aws_cloudfront_function.this.name
  stage = "LIVE"
}

data "aws_cloudfront_origin_access_control" "this" {
  id = aws_cloudfront_origin_access_control.this.id
}

data "aws_cloudfront_origin_access_identity" "this" {
  id = aws_cloudfront_origin_access_identity.this.id
}

data "aws_cloudfront_origin_access_identities" "all" {
  depends_on = [aws_cloudfront_origin_access_identity.this]
}

data "aws_cloudfront_origin_access_identities" "commented" {
  comments = [aws_cloudfront_origin_access_identity.this.comment]
}

output "found" {
  description = "What the data sources find, and what they should."
  value = {
    domain     = [data.aws_cloudfront_distribution.this.domain_name, aws_cloudfront_distribution.this.domain_name]
    code       = [data.aws_cloudfront_function.this.code, aws_cloudfront_function.this.code]
    control    = [data.aws_cloudfront_origin_access_control.this.name, aws_cloudfront_origin_access_control.this.name]
    identity   = [data.aws_cloudfront_origin_access_identity.this.iam_arn, aws_cloudfront_origin_access_identity.this.iam_arn]
    identities = [one(data.aws_cloudfront_origin_access_identities.all.ids), aws_cloudfront_origin_access_identity.this.id]
    commented  = [one(data.aws_cloudfront_origin_access_identities.commented.ids), aws_cloudfront_origin_access_identity.this.id]
  }
}

resource "aws_cloudfront_monitoring_subscription" "this" {
  distribution_id = aws_cloudfront_distribution.this.id

  monitoring_subscription {
    realtime_metrics_subscription_config {
      realtime_metrics_subscription_status = local.first ? "Enabled" : "Disabled"
    }
  }
}

output "ids" {
  description = "What an import needs, by address."
  value = {
    "aws_cloudfront_public_key.this[\"a\"]"       = aws_cloudfront_public_key.this["a"].id
    "aws_cloudfront_public_key.this[\"b\"]"       = aws_cloudfront_public_key.this["b"].id
    "aws_cloudfront_key_group.this"               = aws_cloudfront_key_group.this.id
    "aws_cloudfront_origin_access_control.this"   = aws_cloudfront_origin_access_control.this.id
    "aws_cloudfront_origin_access_identity.this"  = aws_cloudfront_origin_access_identity.this.id
    "aws_cloudfront_cache_policy.this"            = aws_cloudfront_cache_policy.this.id
    "aws_cloudfront_origin_request_policy.this"   = aws_cloudfront_origin_request_policy.this.id
    "aws_cloudfront_response_headers_policy.this" = aws_cloudfront_response_headers_policy.this.id
    "aws_cloudfront_key_value_store.this"         = aws_cloudfront_key_value_store.this.name
    "aws_cloudfront_key_value_store.bare"         = aws_cloudfront_key_value_store.bare.name
    "aws_cloudfront_function.this"                = aws_cloudfront_function.this.name
    "aws_cloudfront_distribution.this"            = aws_cloudfront_distribution.this.id
    "aws_cloudfront_distribution.smallest"        = aws_cloudfront_distribution.smallest.id
    "aws_cloudfront_monitoring_subscription.this" = aws_cloudfront_monitoring_subscription.this.id
    "aws_cloudfront_realtime_log_config.this"     = aws_cloudfront_realtime_log_config.this.id
    "aws_cloudfront_vpc_origin.this"              = aws_cloudfront_vpc_origin.this.id
    "aws_cloudfront_distribution.staging"         = aws_cloudfront_distribution.staging.id

    "aws_cloudfront_field_level_encryption_profile.this" = aws_cloudfront_field_level_encryption_profile.this.id
    "aws_cloudfront_field_level_encryption_config.this"  = aws_cloudfront_field_level_encryption_config.this.id
    "aws_cloudfront_continuous_deployment_policy.this"   = aws_cloudfront_continuous_deployment_policy.this.id
  }
}
