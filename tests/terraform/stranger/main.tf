# A configuration in other people's manner, for what our modules never write: count and for_each over everything, older
# arguments beside newer ones, an identity beside an access control, a moved block, variables in Terraform's JSON.

terraform {
  required_version = "~> 1.3"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

provider "aws" {
  region = "us-east-1"
  default_tags { tags = { "managed-by" = "terraform", Project = "${var.project}" } }
}

locals {
  # How a bucket lets CloudFront in: the newer way or the older one.
  buckets = {
    "site" : { access = "control" }
    "media" : { access = "identity" }
  }
  by_identity = [for name, bucket in local.buckets : name if bucket.access == "identity"]
  by_control  = toset([for name, bucket in local.buckets : name if bucket.access == "control"])

  files = merge([
    for bucket, names in { site = ["public/missing.txt", "book.txt", "either/second.txt"], media = ["media/film.txt", "either/first.txt"] } : {
      for name in names : "${bucket}:${name}" => { bucket = bucket, name = name }
    }
  ]...)

  behaviors = [
    { path = "public/*", origin = "bucket-site", methods = ["HEAD", "GET"], signed = false, query = [] },
    { path = "media/*", origin = "bucket-media", methods = ["GET", "HEAD", "OPTIONS"], signed = true, query = [] },
    { path = "either/*", origin = "either", methods = ["GET", "HEAD"], signed = true, query = [] },
    { path = "api/*", origin = "api", methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"], signed = true, query = ["page"] },
  ]
}

resource "aws_s3_bucket" "each" {
  for_each      = local.buckets
  bucket        = lower("${var.project}-${each.key}")
  force_destroy = "true"
}

moved {
  from = aws_s3_bucket.media
  to   = aws_s3_bucket.each["media"]
}

resource "aws_s3_bucket_public_access_block" "each" {
  for_each = aws_s3_bucket.each
  bucket   = each.value.id

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_object" "file" {
  for_each = local.files

  bucket  = aws_s3_bucket.each[each.value.bucket].bucket
  key     = each.value.name
  content = <<-EOT
    ${each.value.name} in ${each.value.bucket}
  EOT
}

resource "aws_cloudfront_origin_access_identity" "older" {
  count   = length(local.by_identity)
  comment = "reads ${local.by_identity[count.index]}"
}

resource "aws_cloudfront_origin_access_control" "newer" {
  for_each                          = local.by_control
  name                              = join("-", [var.project, each.value])
  description                       = ""
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

data "aws_iam_policy_document" "older" {
  count = length(local.by_identity)

  dynamic "statement" {
    for_each = { read = ["s3:GetObject", "/*"], list = ["s3:ListBucket", ""] }
    content {
      sid       = title(statement.key)
      actions   = [statement.value[0]]
      resources = [format("%s%s", aws_s3_bucket.each[local.by_identity[count.index]].arn, statement.value[1])]
      principals {
        type        = "AWS"
        identifiers = aws_cloudfront_origin_access_identity.older[*].iam_arn
      }
    }
  }
}

resource "aws_s3_bucket_policy" "older" {
  count  = length(local.by_identity)
  bucket = aws_s3_bucket.each[local.by_identity[count.index]].id
  policy = element(data.aws_iam_policy_document.older, count.index).json
}

resource "aws_s3_bucket_policy" "newer" {
  for_each = local.by_control
  bucket   = aws_s3_bucket.each[each.key].id
  policy = jsonencode({
    "Version" : "2012-10-17"
    "Statement" : {
      "Effect" : "Allow"
      "Principal" : { "Service" : ["cloudfront.amazonaws.com"] }
      "Action" : ["s3:Get*"]
      "Resource" : "${aws_s3_bucket.each[each.key].arn}/*"
      "Condition" : { "StringLike" : { "aws:SourceArn" : one(aws_cloudfront_distribution.cdn).arn } }
    }
  })
}

resource "aws_cloudfront_public_key" "reader" {
  for_each    = var.readers
  name_prefix = "${var.project}-${each.key}"
  encoded_key = each.value
  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_cloudfront_key_group" "readers" {
  count = 1
  name  = "${var.project}-readers"
  items = reverse(sort([for key in aws_cloudfront_public_key.reader : key.id]))
}

resource "aws_cloudfront_distribution" "cdn" {
  count               = 1
  enabled             = true
  wait_for_deployment = false
  retain_on_delete    = false
  is_ipv6_enabled     = true
  http_version        = "http2and3"
  price_class         = "PriceClass_All"
  comment             = "Plakate & Bücher – «${var.project}»"
  default_root_object = ""
  aliases             = []
  web_acl_id          = null

  dynamic "origin" {
    for_each = local.buckets
    iterator = it
    content {
      origin_id                = "bucket-${it.key}"
      domain_name              = aws_s3_bucket.each[it.key].bucket_regional_domain_name
      origin_access_control_id = try(aws_cloudfront_origin_access_control.newer[it.key].id, null)

      dynamic "s3_origin_config" {
        for_each = contains(local.by_identity, it.key) ? aws_cloudfront_origin_access_identity.older : []
        content {
          origin_access_identity = s3_origin_config.value.cloudfront_access_identity_path
        }
      }
    }
  }

  origin {
    domain_name = "localhost"
    origin_id   = "api"
    origin_path = "/v1"
    custom_origin_config {
      http_port              = var.api_port
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1.2", "TLSv1.1"]
    }
    custom_header {
      name  = "X-Origin-Secret"
      value = join(" ", ["between", "us"])
    }
  }

  origin_group {
    origin_id = "either"
    failover_criteria {
      status_codes = [404, 403, 500]
    }
    dynamic "member" {
      for_each = ["bucket-media", "bucket-site"]
      content {
        origin_id = member.value
      }
    }
  }

  default_cache_behavior {
    target_origin_id       = "bucket-site"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    viewer_protocol_policy = "redirect-to-https"
    trusted_signers        = []
    trusted_key_groups     = aws_cloudfront_key_group.readers.*.id
    min_ttl                = 0
    default_ttl            = "3600"
    max_ttl                = 24 * 60 * 60

    forwarded_values {
      query_string = false
      cookies { forward = "none" }
    }
  }

  dynamic "ordered_cache_behavior" {
    for_each = local.behaviors
    content {
      path_pattern           = ordered_cache_behavior.value.path
      target_origin_id       = ordered_cache_behavior.value["origin"]
      allowed_methods        = ordered_cache_behavior.value.methods
      cached_methods         = ["GET", "HEAD"]
      viewer_protocol_policy = "https-only"
      trusted_signers        = []
      trusted_key_groups     = ordered_cache_behavior.value.signed ? [aws_cloudfront_key_group.readers[0].id] : null
      compress               = ordered_cache_behavior.key % 2 == 0

      forwarded_values {
        query_string            = length(ordered_cache_behavior.value.query) > 0
        query_string_cache_keys = ordered_cache_behavior.value.query
        headers                 = length(ordered_cache_behavior.value.query) > 0 ? ["Accept-Language", "origin"] : []
        cookies {
          forward           = length(ordered_cache_behavior.value.query) > 0 ? "whitelist" : "none"
          whitelisted_names = length(ordered_cache_behavior.value.query) > 0 ? ["session"] : null
        }
      }
    }
  }

  dynamic "custom_error_response" {
    for_each = toset([404])
    content {
      error_code            = custom_error_response.key
      response_code         = 400
      response_page_path    = "/public/missing.txt"
      error_caching_min_ttl = 0
    }
  }

  restrictions {
    geo_restriction {
      restriction_type = "none"
      locations        = []
    }
  }

  viewer_certificate { cloudfront_default_certificate = true }

  tags = { Name = "cdn", "managed-by" = "somebody else" }
}

output "url" {
  value = format("https://%s", join("", aws_cloudfront_distribution.cdn.*.domain_name))
}

output "ids" {
  value = { for name, key in aws_cloudfront_public_key.reader : name => key.id }
}
