output "domain_name" {
  description = "The distribution's own host name."
  value       = aws_cloudfront_distribution.this.domain_name
}

output "url" {
  description = "The address of the content, without a slash at the end: the first alias, or the distribution's own host name."
  value       = "https://${try(var.aliases[0], aws_cloudfront_distribution.this.domain_name)}"
}

output "distribution_id" {
  description = "The distribution's id."
  value       = aws_cloudfront_distribution.this.id
}

output "distribution_arn" {
  description = "The distribution's ARN."
  value       = aws_cloudfront_distribution.this.arn
}

output "hosted_zone_id" {
  description = "The Route 53 zone of every distribution, for alias records."
  value       = aws_cloudfront_distribution.this.hosted_zone_id
}

output "bucket" {
  description = "The content bucket's name. null if there is none. It is known only once the distribution may read from the bucket."
  value       = one(aws_s3_bucket_policy.content[*].bucket)
}

output "bucket_arn" {
  description = "The content bucket's ARN. null if there is none."
  value       = one(aws_s3_bucket.content[*].arn)
}

output "log_bucket" {
  description = "The name of the bucket made for access logs. null if there is none."
  value       = one(aws_s3_bucket.logs[*].bucket)
}

output "bucket_policies_json" {
  description = "The policy that each bucket needs, by the origin's name. Add those of buckets without write_policy to their own policies (source_policy_documents of aws_iam_policy_document)."
  value       = local.bucket_policies
}
