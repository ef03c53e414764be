output "domain_name" {
  description = "The distribution's host name."
  value       = module.content.domain_name
}

output "key_pair_id" {
  description = "The public key's id, for keyfront sign --key-id."
  value       = module.trusted_key_group.current_key_id
}

output "url" {
  description = "The private file's address. It gets 403 without a signature."
  value       = "${module.content.url}/${aws_s3_object.secret.key}"
}

output "api_url" {
  description = "The API's address for the private file. It redirects (303) to a signed link."
  value       = "${module.download_endpoint.api_url}/download/${aws_s3_object.secret.key}"
}
