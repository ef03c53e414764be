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

resource "aws_s3_bucket_lifecycle_configuration" "content" {
  count  = var.create_bucket ? 1 : 0
  bucket = aws_s3_bucket.content[0].id

  rule {
    id     = "abort-incomplete-uploads"
    status = "Enabled"
    filter {}

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_incomplete_uploads_days
    }
  }

  # S3 takes one change of a bucket at a time.
  depends_on = [aws_s3_bucket_versioning.content]
}
