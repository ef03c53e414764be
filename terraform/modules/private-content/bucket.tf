resource "aws_s3_bucket" "content" {
  count         = var.create_bucket ? 1 : 0
  bucket        = var.bucket_name
  bucket_prefix = var.bucket_name == null ? "${var.name}-" : null
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "content" {
  count                   = var.create_bucket ? 1 : 0
  bucket                  = aws_s3_bucket.content[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# The bucket's owner owns every object, whoever uploads it, so only the policy below decides.
resource "aws_s3_bucket_ownership_controls" "content" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.content[0].id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_versioning" "content" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.content[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "content" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.content[0].id

  rule {
    bucket_key_enabled = var.bucket_kms_key_arn != null

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.bucket_kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.bucket_kms_key_arn
    }
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

resource "aws_s3_bucket_policy" "content" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.content[0].id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "OnlyThisDistributionReads"
        Effect    = "Allow"
        Principal = { Service = "cloudfront.amazonaws.com" }
        Action    = "s3:GetObject"
        Resource  = "${aws_s3_bucket.content[0].arn}/*"
        Condition = { StringEquals = { "AWS:SourceArn" = aws_cloudfront_distribution.this.arn } }
      },
      {
        Sid       = "NothingWithoutTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.content[0].arn, "${aws_s3_bucket.content[0].arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  depends_on = [aws_s3_bucket_public_access_block.content]
}
