output "key_pair_id" {
  description = "The public key's id in CloudFront."
  value       = module.trusted_key_group.current_key_id
}

output "url" {
  description = "The application's address, without a slash at the end."
  value       = module.content.url
}
