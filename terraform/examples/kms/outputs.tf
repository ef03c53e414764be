output "domain_name" {
  description = "The distribution's host name."
  value       = module.content.domain_name
}

output "key_pair_id" {
  description = "The public key's id in CloudFront, for --key-id."
  value       = module.trusted_key_group.current_key_id
}

output "signer" {
  description = "The private key's address, for --signer."
  value       = module.signing_key.signer
}

output "signer_policy_json" {
  description = "The IAM policy for the signer. It allows the use of this key, and nothing else."
  value       = module.signing_key.iam_policy_json
}

output "url" {
  description = "The private file's address. It gets 403 without a signature."
  value       = "${module.content.url}/${aws_s3_object.secret.key}"
}
