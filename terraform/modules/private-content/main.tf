locals {
  default         = merge(var.default_behavior, { path_pattern = "*", key_group_ids = var.default_key_group_ids })
  own_certificate = var.certificate_arn == null
}

# Policies by name: Amazon's managed ones, or your own. They are read even if an id is given, which may not be known yet.
data "aws_cloudfront_cache_policy" "named" {
  for_each = toset(local.every_behavior[*].cache_policy)
  name     = each.value
}

data "aws_cloudfront_origin_request_policy" "named" {
  for_each = toset([for b in local.every_behavior : b.origin_request_policy if b.origin_request_policy != null])
  name     = each.value
}

data "aws_cloudfront_response_headers_policy" "named" {
  for_each = toset([
    for name in concat(local.every_behavior[*].response_headers_policy, [var.default_response_headers_policy]) : name
    if name != null
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
    for_each = local.origins
    content {
      origin_id                = origin.key
      domain_name              = origin.value.domain_name
      origin_path              = origin.value.path
      origin_access_control_id = origin.value.access_control_id
      connection_attempts      = origin.value.connection_attempts
      connection_timeout       = origin.value.connection_timeout

      dynamic "custom_origin_config" {
        for_each = origin.value.server[*]
        iterator = server
        content {
          origin_protocol_policy   = server.value.protocol_policy
          http_port                = server.value.http_port
          https_port               = server.value.https_port
          origin_ssl_protocols     = server.value.ssl_protocols
          origin_read_timeout      = server.value.read_timeout
          origin_keepalive_timeout = server.value.keepalive_timeout
        }
      }

      dynamic "origin_shield" {
        for_each = origin.value.shield[*]
        content {
          enabled              = true
          origin_shield_region = origin_shield.value
        }
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

  dynamic "origin_group" {
    for_each = var.origin_groups
    content {
      origin_id = origin_group.key

      failover_criteria {
        status_codes = origin_group.value.status_codes
      }
      member {
        origin_id = origin_group.value.primary
      }
      member {
        origin_id = origin_group.value.secondary
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

    dynamic "lambda_function_association" {
      for_each = local.default.lambda_functions
      content {
        event_type   = lambda_function_association.key
        lambda_arn   = lambda_function_association.value.arn
        include_body = lambda_function_association.value.include_body
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

      dynamic "lambda_function_association" {
        for_each = behavior.value.lambda_functions
        content {
          event_type   = lambda_function_association.key
          lambda_arn   = lambda_function_association.value.arn
          include_body = lambda_function_association.value.include_body
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
      condition     = length(local.named_twice) == 0
      error_message = "Two origins or origin groups have the same name, and \"content\" is the module's own bucket: rename one of ${join(", ", local.named_twice)}."
    }
    precondition {
      condition     = length(local.header_problems) == 0
      error_message = "custom_origin_headers has origins that are not in custom_origins: ${join(", ", local.header_problems)}."
    }
    precondition {
      condition     = length(local.function_problems) == 0
      error_message = "CloudFront does not run these functions: ${join("; ", local.function_problems)}."
    }
    precondition {
      condition     = length(local.group_problems) == 0
      error_message = "An origin group needs two different origins of ${join(", ", local.origin_names)}: ${join("; ", local.group_problems)}."
    }
    precondition {
      condition     = length(local.method_problems) == 0
      error_message = "A behavior with an origin group takes only GET, HEAD and OPTIONS in allowed_methods: ${join("; ", local.method_problems)}."
    }
    precondition {
      condition     = length(local.host_problems) == 0
      error_message = "S3 and Lambda answer 403 SignatureDoesNotMatch if they get the viewer's Host. Use Managed-AllViewerExceptHostHeader: ${join("; ", local.host_problems)}."
    }
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
  default_response_headers = var.default_response_headers_policy_id != null ? var.default_response_headers_policy_id : try(data.aws_cloudfront_response_headers_policy.named[var.default_response_headers_policy].id, null)

  # The policies of the default behavior, then those of the other behaviors in order.
  policies = [for b in local.every_behavior : {
    cache            = b.cache_policy_id != null ? b.cache_policy_id : data.aws_cloudfront_cache_policy.named[b.cache_policy].id
    origin_request   = b.origin_request_policy_id != null ? b.origin_request_policy_id : try(data.aws_cloudfront_origin_request_policy.named[b.origin_request_policy].id, null)
    response_headers = b.response_headers_policy_id != null ? b.response_headers_policy_id : try(data.aws_cloudfront_response_headers_policy.named[b.response_headers_policy].id, local.default_response_headers)
  }]
}
