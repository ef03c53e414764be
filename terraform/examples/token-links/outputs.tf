output "key_pair_id" {
  description = "The public key's id, for keyfront sign-cookies --key-id."
  value       = module.trusted_key_group.current_key_id
}

output "tokens" {
  description = "The ARN of the key value store with the tokens."
  value       = aws_cloudfront_key_value_store.tokens.arn
}

output "url" {
  description = "The content's address, without a slash at the end."
  value       = module.content.url
}
