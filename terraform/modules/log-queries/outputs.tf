output "workgroup" {
  description = "The workgroup's name, for `aws athena start-query-execution --work-group`."
  value       = aws_athena_workgroup.this.name
}

output "database" {
  description = "The database's name. Its table is `files`."
  value       = aws_glue_catalog_database.this.name
}

output "queries" {
  description = "The ids of the saved queries, by their questions."
  value       = { for name, query in aws_athena_named_query.this : name => query.id }
}

output "results_bucket" {
  description = "The bucket with the results. They are deleted after seven days."
  value       = aws_s3_bucket.results.bucket
}
