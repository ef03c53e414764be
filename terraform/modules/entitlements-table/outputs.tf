output "name" {
  description = "The table's name, for `ENTITLEMENTS_TABLE` in the function's environment."
  value       = aws_dynamodb_table.this.name
}

output "arn" {
  description = "The table's ARN."
  value       = aws_dynamodb_table.this.arn
}

output "iam_policy_json" {
  description = "The policy that the function needs: read entries by their keys. Use it in an `aws_iam_role_policy` on the endpoint's `role_name`."
  value = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadEntitlements"
      Effect   = "Allow"
      Action   = "dynamodb:BatchGetItem"
      Resource = aws_dynamodb_table.this.arn
    }]
  })
}
