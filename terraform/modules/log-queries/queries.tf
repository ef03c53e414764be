# A workgroup with a limit on what one query may read, and the queries of keyfront logs.

resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "Queries over CloudFront access logs, at most ${var.scan_limit_gb} GB each"
  force_destroy = true
  tags          = var.tags

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    bytes_scanned_cutoff_per_query     = var.scan_limit_gb * 1024 * 1024 * 1024

    result_configuration {
      output_location = "s3://${aws_s3_bucket.results.bucket}/"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each = {
    keys      = "Who used which key: key-pair ids, their paths, and the latest expiry"
    hours     = "Requests over time"
    links     = "Signatures that opened something: from how many networks and countries"
    lives     = "What shorter lives of links would have stopped"
    referrers = "Sites that lead to signed links"
  }

  name        = "${var.name}-${each.key}"
  description = each.value
  workgroup   = aws_athena_workgroup.this.id
  database    = aws_glue_catalog_database.this.name
  query = templatefile("${path.module}/queries/${each.key}.sql", {
    table = "\"${local.database}\".\"${local.table}\""
    where = local.where
  })
}

# Results hold paths, networks and hashes of signatures. Nobody needs them for long.
resource "aws_s3_bucket" "results" {
  bucket_prefix = "${var.name}-results-"
  force_destroy = true
  tags          = var.tags
}

resource "aws_s3_bucket_public_access_block" "results" {
  bucket                  = aws_s3_bucket.results.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_lifecycle_configuration" "results" {
  bucket = aws_s3_bucket.results.id

  rule {
    id     = "expire"
    status = "Enabled"
    filter {}

    expiration {
      days = 7
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}
