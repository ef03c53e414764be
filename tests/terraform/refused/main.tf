# What the real service refuses, each thing once, and no two of them in each other's way.

variable "public_keys" {
  description = "Six good public keys, PEM."
  type        = list(string)
}

variable "too_long" {
  description = "A public key of RSA 4096, PEM."
  type        = string
}

locals {
  distributions = {
    first  = { aliases = ["shop.example.com"], key_groups = [aws_cloudfront_key_group.good[0].id] }
    lost   = { aliases = [], key_groups = ["11111111-2222-3333-4444-555555555555"] }
    crowd  = { aliases = [], key_groups = aws_cloudfront_key_group.good[*].id }
    second = { aliases = ["shop.example.com"], key_groups = [] }
  }
}

resource "aws_cloudfront_public_key" "good" {
  count       = length(var.public_keys)
  name        = "key-${count.index}"
  encoded_key = var.public_keys[count.index]
}

resource "aws_cloudfront_public_key" "too_long" {
  name        = "too-long"
  encoded_key = var.too_long
}

resource "aws_cloudfront_key_group" "good" {
  count = 5
  name  = "good-${count.index}"
  items = [aws_cloudfront_public_key.good[0].id]
}

resource "aws_cloudfront_key_group" "six" {
  name  = "six"
  items = aws_cloudfront_public_key.good[*].id
}

resource "aws_cloudfront_cache_policy" "taken" {
  name        = "Managed-CachingOptimized"
  min_ttl     = 0
  default_ttl = 0
  max_ttl     = 1

  parameters_in_cache_key_and_forwarded_to_origin {
    cookies_config {
      cookie_behavior = "none"
    }
    headers_config {
      header_behavior = "none"
    }
    query_strings_config {
      query_string_behavior = "none"
    }
  }
}

resource "aws_cloudfront_distribution" "this" {
  for_each            = local.distributions
  enabled             = false
  wait_for_deployment = false
  aliases             = each.value.aliases

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
    viewer_protocol_policy = "https-only"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    trusted_key_groups     = each.value.key_groups
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }

  viewer_certificate {
    acm_certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    ssl_support_method  = "sni-only"
  }
}
