# A bucket for the standard access logs, if none is given. CloudFront writes through an ACL, so this bucket must allow ACLs.

locals {
  log_buckets = var.access_logs != null && try(var.access_logs.bucket_domain_name, null) == null ? 1 : 0
}

data "aws_canonical_user_id" "this" {
  count = local.log_buckets
}

data "aws_cloudfront_log_delivery_canonical_user_id" "this" {
  count = local.log_buckets
}

resource "aws_s3_bucket" "logs" {
  count         = local.log_buckets
  bucket_prefix = "${var.name}-logs-"
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "logs" {
  count                   = local.log_buckets
  bucket                  = aws_s3_bucket.logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "logs" {
  count  = local.log_buckets
  bucket = aws_s3_bucket.logs[0].id

  rule {
    object_ownership = "BucketOwnerPreferred"
  }
}

resource "aws_s3_bucket_acl" "logs" {
  count  = local.log_buckets
  bucket = aws_s3_bucket.logs[0].id

  access_control_policy {
    owner {
      id = data.aws_canonical_user_id.this[0].id
    }
    grant {
      permission = "FULL_CONTROL"
      grantee {
        id   = data.aws_canonical_user_id.this[0].id
        type = "CanonicalUser"
      }
    }
    grant {
      permission = "FULL_CONTROL"
      grantee {
        id   = data.aws_cloudfront_log_delivery_canonical_user_id.this[0].id
        type = "CanonicalUser"
      }
    }
  }

  depends_on = [aws_s3_bucket_ownership_controls.logs]
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  count  = local.log_buckets
  bucket = aws_s3_bucket.logs[0].id

  rule {
    bucket_key_enabled = var.access_logs.kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.access_logs.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.access_logs.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count  = local.log_buckets
  bucket = aws_s3_bucket.logs[0].id

  rule {
    id     = "expire"
    status = "Enabled"
    filter {}

    expiration {
      days = var.access_logs.expire_days
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count  = local.log_buckets
  bucket = aws_s3_bucket.logs[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "NothingWithoutTLS"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.logs[0].arn, "${aws_s3_bucket.logs[0].arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })

  depends_on = [aws_s3_bucket_public_access_block.logs]
}
