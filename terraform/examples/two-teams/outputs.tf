output "domain_name" {
  description = "The distribution's host name."
  value       = module.content.domain_name
}

output "key_pair_ids" {
  description = "The id of each team's public key, by team."
  value       = { for team, group in module.trusted_key_group : team => group.current_key_id }
}

output "urls" {
  description = "The private files' addresses, by the team that can sign for them."
  value = merge(
    { for team, report in aws_s3_object.report : team => "${module.content.url}/${report.key}" },
    { both = "${module.content.url}/${aws_s3_object.both.key}" },
  )
}
