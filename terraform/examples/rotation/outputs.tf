output "domain_name" {
  description = "The distribution's host name."
  value       = module.content.domain_name
}

output "key_pair_id" {
  description = "The id of the public key that signers use in this phase."
  value       = module.trusted_key_group.current_key_id
}

output "key_pair_ids" {
  description = "The ids of all keys that are trusted in this phase."
  value       = module.trusted_key_group.key_ids
}

output "private_key" {
  description = "The private key file that signers use in this phase."
  value       = "${local.folder}/${local.signing}/private_key.pem"
}

output "url" {
  description = "The private file's address. It gets 403 without a signature."
  value       = "${module.content.url}/${aws_s3_object.secret.key}"
}
