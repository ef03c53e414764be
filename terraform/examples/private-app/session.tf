# The function that sets the cookies. It may sign with this one key, and only CloudFront may call its URL.

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

data "aws_iam_policy_document" "logs" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.session.arn}:*"]
  }
}

resource "aws_iam_role" "session" {
  name               = "${var.name}-session"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
}

resource "aws_iam_role_policy" "sign" {
  name   = "sign"
  role   = aws_iam_role.session.name
  policy = module.signing_key.iam_policy_json
}

resource "aws_iam_role_policy" "logs" {
  name   = "logs"
  role   = aws_iam_role.session.name
  policy = data.aws_iam_policy_document.logs.json
}

resource "aws_cloudwatch_log_group" "session" {
  name              = "/aws/lambda/${var.name}-session"
  retention_in_days = 14
}

resource "aws_lambda_function" "session" {
  function_name    = "${var.name}-session"
  role             = aws_iam_role.session.arn
  filename         = "${path.module}/function.zip"
  source_code_hash = filebase64sha256("${path.module}/function.zip")
  handler          = "session.handler"
  runtime          = "python3.13"

  environment {
    variables = {
      ACCESS_CODE_SHA256 = sha256(var.access_code)
      KEY_PAIR_ID        = module.trusted_key_group.current_key_id
      KMS_KEY_ID         = module.signing_key.kms_key_arn
    }
  }

  depends_on = [aws_cloudwatch_log_group.session]
}

resource "aws_lambda_function_url" "session" {
  function_name      = aws_lambda_function.session.function_name
  authorization_type = "AWS_IAM"
}
