output "key_group_id" {
  description = "The key group's id, for `trusted_key_groups` of a cache behavior."
  value       = aws_cloudfront_key_group.this.id
}

output "key_ids" {
  description = "The public keys' ids in CloudFront (`K…`), by name. A signed URL has one as `Key-Pair-Id`."
  value       = { for name, key in aws_cloudfront_public_key.this : name => key.id }
}

output "current_key_id" {
  description = "The id of the key that signers use."
  value       = aws_cloudfront_public_key.this[local.current].id
}

output "current_key_name" {
  description = "The name of the key that signers use."
  value       = local.current
}

output "public_keys" {
  description = "The public keys as CloudFront has them (PEM), by name. With them you can check a signature without asking CloudFront."
  value       = local.pems
}
