# Every origin by name, and what it needs to let CloudFront in.

data "aws_partition" "current" {}

data "aws_region" "current" {}

locals {
  own_bucket = var.create_bucket ? {
    content = {
      domain_name         = aws_s3_bucket.content[0].bucket_regional_domain_name
      path                = ""
      access_control_id   = aws_cloudfront_origin_access_control.content[0].id
      shield              = var.origin_shield_region
      connection_attempts = 3
      connection_timeout  = 10
      server              = null
    }
  } : {}

  existing_buckets = {
    for name, b in var.buckets : name => {
      domain_name         = "${b.bucket}.s3.${coalesce(b.region, data.aws_region.current.id)}.${data.aws_partition.current.dns_suffix}"
      path                = b.path
      access_control_id   = aws_cloudfront_origin_access_control.existing["s3"].id
      shield              = b.origin_shield_region
      connection_attempts = 3
      connection_timeout  = 10
      server              = null
    }
  }

  servers = {
    for name, o in var.custom_origins : name => {
      domain_name         = o.domain_name
      path                = o.path
      access_control_id   = null
      shield              = o.origin_shield_region
      connection_attempts = o.connection_attempts
      connection_timeout  = o.connection_timeout
      server              = o
    }
  }

  functions = {
    for name, f in var.function_urls : name => {
      domain_name         = trimsuffix(trimprefix(f.url, "https://"), "/")
      path                = f.path
      access_control_id   = aws_cloudfront_origin_access_control.existing["lambda"].id
      shield              = f.origin_shield_region
      connection_attempts = 3
      connection_timeout  = 10
      server = {
        protocol_policy   = "https-only"
        http_port         = 80
        https_port        = 443
        ssl_protocols     = ["TLSv1.2"]
        read_timeout      = f.read_timeout
        keepalive_timeout = f.keepalive_timeout
      }
    }
  }

  origins = merge(local.own_bucket, local.existing_buckets, local.servers, local.functions)

  # Their names, from the variables alone: validations use them.
  signed_origins = concat(var.create_bucket ? ["content"] : [], keys(var.buckets), keys(var.function_urls))
  origin_names   = concat(var.create_bucket ? ["content"] : [], keys(var.buckets), keys(var.custom_origins), keys(var.function_urls))
  target_names   = concat(local.origin_names, keys(var.origin_groups))
  default_origin = coalesce(var.default_behavior.origin, try(local.origin_names[0], null), "content")

  # What each bucket's policy must say.
  bucket_arns = merge(
    { for bucket in aws_s3_bucket.content : "content" => bucket.arn },
    { for name, b in var.buckets : name => "arn:${data.aws_partition.current.partition}:s3:::${b.bucket}" },
  )
  bucket_policies = {
    for name, arn in local.bucket_arns : name => jsonencode({
      Version = "2012-10-17"
      Statement = [
        {
          Sid       = "OnlyThisDistributionReads"
          Effect    = "Allow"
          Principal = { Service = "cloudfront.amazonaws.com" }
          Action    = "s3:GetObject"
          Resource  = "${arn}/*"
          Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.this.arn } }
        },
        {
          Sid       = "NothingWithoutTLS"
          Effect    = "Deny"
          Principal = "*"
          Action    = "s3:*"
          Resource  = [arn, "${arn}/*"]
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ]
    })
  }
}

resource "aws_cloudfront_origin_access_control" "content" {
  count                             = var.create_bucket ? 1 : 0
  name                              = aws_s3_bucket.content[0].id
  description                       = "Reads of ${var.name}"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

# One for all buckets, and one for all functions, that exist already.
resource "aws_cloudfront_origin_access_control" "existing" {
  for_each                          = toset([for type, used in { s3 = var.buckets, lambda = var.function_urls } : type if length(used) > 0])
  name                              = "${var.name}-${each.key}"
  description                       = "Requests of ${var.name}"
  origin_access_control_origin_type = each.key
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}

resource "aws_s3_bucket_policy" "content" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.content[0].id
  policy = local.bucket_policies["content"]

  depends_on = [aws_s3_bucket_public_access_block.content]
}

resource "aws_s3_bucket_policy" "existing" {
  for_each = { for name, b in var.buckets : name => b.bucket if b.write_policy }
  bucket   = each.value
  policy   = local.bucket_policies[each.key]
}

# Function URLs made since October 2025 need both permissions (Lambda Developer Guide, "Control access to function URLs").
resource "aws_lambda_permission" "function_url" {
  for_each               = var.function_urls
  statement_id           = "${var.name}-${replace(each.key, "/[^A-Za-z0-9_-]/", "-")}-url"
  action                 = "lambda:InvokeFunctionUrl"
  function_name          = each.value.function_name
  qualifier              = each.value.qualifier
  function_url_auth_type = "AWS_IAM"
  principal              = "cloudfront.amazonaws.com"
  source_arn             = aws_cloudfront_distribution.this.arn
}

resource "aws_lambda_permission" "function" {
  for_each      = var.function_urls
  statement_id  = "${var.name}-${replace(each.key, "/[^A-Za-z0-9_-]/", "-")}"
  action        = "lambda:InvokeFunction"
  function_name = each.value.function_name
  qualifier     = each.value.qualifier
  principal     = "cloudfront.amazonaws.com"
  source_arn    = aws_cloudfront_distribution.this.arn
}
