output "domain_name" {
  description = "The distribution's host name."
  value       = module.content.domain_name
}

output "key_pair_id" {
  description = "The public key's id, for keyfront sign --key-id."
  value       = module.trusted_key_group.current_key_id
}

output "url" {
  description = "The distribution's address, without a slash at the end. url/PATH gets 403 without a signature."
  value       = module.content.url
}
