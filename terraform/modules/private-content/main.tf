locals {
  origin_ids      = concat(var.create_bucket ? ["content"] : [], keys(var.custom_origins))
  default_origin  = coalesce(var.default_behavior.origin, try(local.origin_ids[0], null), "content")
  default         = merge(var.default_behavior, { path_pattern = "*", key_group_ids = var.default_key_group_ids })
  own_certificate = var.certificate_arn == null
}

# Policies by name: Amazon's managed ones, or your own.
data "aws_cloudfront_cache_policy" "named" {
  for_each = toset([for b in concat([local.default], var.behaviors) : b.cache_policy if b.cache_policy_id == null])
  name     = each.value
}

data "aws_cloudfront_origin_request_policy" "named" {
  for_each = toset([
    for b in concat([local.default], var.behaviors) : b.origin_request_policy
    if b.origin_request_policy != null && b.origin_request_policy_id == null
  ])
  name = each.value
}

data "aws_cloudfront_response_headers_policy" "named" {
  for_each = toset([
    for b in concat([local.default], var.behaviors) : b.response_headers_policy
    if b.response_headers_policy != null && b.response_headers_policy_id == null
  ])
  name = each.value
}

resource "aws_cloudfront_distribution" "this" {
  enabled             = var.enabled
  comment             = coalesce(var.comment, var.name)
  aliases             = var.aliases
  default_root_object = var.default_root_object
  http_version        = var.http_version
  is_ipv6_enabled     = var.ipv6
  price_class         = var.price_class
  web_acl_id          = var.web_acl_arn
  wait_for_deployment = var.wait_for_deployment
  tags                = var.tags

  dynamic "origin" {
    for_each = aws_s3_bucket.content[*]
    content {
      origin_id                = "content"
      domain_name              = origin.value.bucket_regional_domain_name
      origin_access_control_id = aws_cloudfront_origin_access_control.content[0].id
    }
  }

  dynamic "origin" {
    for_each = var.custom_origins
    content {
      origin_id           = origin.key
      domain_name         = origin.value.domain_name
      origin_path         = origin.value.path
      connection_attempts = origin.value.connection_attempts
      connection_timeout  = origin.value.connection_timeout

      custom_origin_config {
        origin_protocol_policy   = origin.value.protocol_policy
        http_port                = origin.value.http_port
        https_port               = origin.value.https_port
        origin_ssl_protocols     = origin.value.ssl_protocols
        origin_read_timeout      = origin.value.read_timeout
        origin_keepalive_timeout = origin.value.keepalive_timeout
      }

      dynamic "custom_header" {
        # The header names are not secret, and for_each does not accept a secret.
        for_each = nonsensitive(toset(keys(lookup(var.custom_origin_headers, origin.key, {}))))
        content {
          name  = custom_header.value
          value = var.custom_origin_headers[origin.key][custom_header.value]
        }
      }
    }
  }

  default_cache_behavior {
    target_origin_id           = local.default_origin
    trusted_key_groups         = local.default.key_group_ids
    viewer_protocol_policy     = local.default.viewer_protocol_policy
    allowed_methods            = local.default.allowed_methods
    cached_methods             = ["GET", "HEAD"]
    compress                   = local.default.compress
    cache_policy_id            = local.policies[0].cache
    origin_request_policy_id   = local.policies[0].origin_request
    response_headers_policy_id = local.policies[0].response_headers

    dynamic "function_association" {
      for_each = local.default.function_arns
      content {
        event_type   = function_association.key
        function_arn = function_association.value
      }
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = var.behaviors
    iterator = behavior
    content {
      path_pattern               = behavior.value.path_pattern
      target_origin_id           = coalesce(behavior.value.origin, local.default_origin)
      trusted_key_groups         = behavior.value.key_group_ids
      viewer_protocol_policy     = behavior.value.viewer_protocol_policy
      allowed_methods            = behavior.value.allowed_methods
      cached_methods             = ["GET", "HEAD"]
      compress                   = behavior.value.compress
      cache_policy_id            = local.policies[behavior.key + 1].cache
      origin_request_policy_id   = local.policies[behavior.key + 1].origin_request
      response_headers_policy_id = local.policies[behavior.key + 1].response_headers

      dynamic "function_association" {
        for_each = behavior.value.function_arns
        content {
          event_type   = function_association.key
          function_arn = function_association.value
        }
      }
    }
  }

  dynamic "custom_error_response" {
    for_each = var.custom_error_responses
    content {
      error_code            = custom_error_response.key
      response_code         = custom_error_response.value.response_code
      response_page_path    = custom_error_response.value.response_page_path
      error_caching_min_ttl = custom_error_response.value.error_caching_min_ttl
    }
  }

  dynamic "logging_config" {
    for_each = var.access_logs[*]
    content {
      bucket          = coalesce(logging_config.value.bucket_domain_name, one(aws_s3_bucket.logs[*].bucket_domain_name))
      prefix          = logging_config.value.prefix
      include_cookies = logging_config.value.include_cookies
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = try(var.geo_restriction.type, "none")
      locations        = try(var.geo_restriction.locations, [])
    }
  }

  viewer_certificate {
    cloudfront_default_certificate = local.own_certificate ? true : null
    acm_certificate_arn            = var.certificate_arn
    ssl_support_method             = local.own_certificate ? null : "sni-only"
    minimum_protocol_version       = local.own_certificate ? null : "TLSv1.2_2021"
  }

  # CloudFront checks that it can write to the bucket when the distribution is created.
  depends_on = [aws_s3_bucket_acl.logs, aws_s3_bucket_public_access_block.logs]

  lifecycle {
    precondition {
      condition     = length(local.opened) == 0
      error_message = "The first behavior that matches decides, and a public behavior is before a protected one that it covers. Put the protected one first: ${join("; ", local.opened)}."
    }
    precondition {
      condition     = length(local.unreachable) == 0
      error_message = "The first behavior that matches decides, so a later one is never reached. Put the narrower one first: ${join("; ", local.unreachable)}."
    }
  }
}

locals {
  # The policies of the default behavior, then those of the other behaviors in order.
  policies = [for b in concat([local.default], var.behaviors) : {
    cache            = b.cache_policy_id != null ? b.cache_policy_id : data.aws_cloudfront_cache_policy.named[b.cache_policy].id
    origin_request   = b.origin_request_policy_id != null ? b.origin_request_policy_id : try(data.aws_cloudfront_origin_request_policy.named[b.origin_request_policy].id, null)
    response_headers = b.response_headers_policy_id != null ? b.response_headers_policy_id : try(data.aws_cloudfront_response_headers_policy.named[b.response_headers_policy].id, null)
  }]
}
