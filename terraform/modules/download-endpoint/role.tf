# No managed policies: AWSLambdaBasicExecutionRole can write to every log group of the account.
resource "aws_iam_role" "this" {
  name        = var.name
  description = "Lets the function ${var.name} use its signing key and write its log"
  tags        = var.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "signing" {
  name   = "signing-key"
  role   = aws_iam_role.this.name
  policy = var.signing_policy_json
}

resource "aws_iam_role_policy" "entitlements" {
  count  = var.entitlements_table == null ? 0 : 1
  name   = "entitlements"
  role   = aws_iam_role.this.name
  policy = var.entitlements_table.iam_policy_json
}

resource "aws_iam_role_policy" "logs" {
  name = "own-log-group"
  role = aws_iam_role.this.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteOwnLog"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.function.arn}:*"
    }]
  })
}
