# A real apply of the endpoint.

variables {
  name              = "deployed"
  package           = { zip = "tests/package.zip" }
  handler           = "index.handler"
  cloudfront_domain = "d111111abcdef8.cloudfront.net"
  signer            = "ssm:/deployed/signing-key"
  tags              = { team = "shop" }

  signing_policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadParameter", Effect = "Allow", Action = "ssm:GetParameter",
      Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/deployed/signing-key"
    }]
  })
}

run "the_function_its_role_its_log_and_its_api" {
  variables {
    environment = { LINK_SECONDS = "30" }
  }

  assert {
    condition = aws_lambda_function.this.environment[0].variables == tomap({
      CLOUDFRONT_DOMAIN     = "d111111abcdef8.cloudfront.net"
      PRIVATE_KEY_PARAMETER = "/deployed/signing-key"
      LINK_SECONDS          = "30"
    })
    error_message = "The function is told what the backend's settings need."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.signing.policy) == jsondecode(var.signing_policy_json)
    error_message = "The role may use the signing key."
  }
  assert {
    condition = jsondecode(aws_iam_role_policy.logs.policy).Statement == [{
      Sid      = "WriteOwnLog", Effect = "Allow", Action = ["logs:CreateLogStream", "logs:PutLogEvents"],
      Resource = "${aws_cloudwatch_log_group.function.arn}:*"
    }]
    error_message = "The role may write to its own log group."
  }
  assert {
    condition     = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{ Action = "sts:AssumeRole", Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" } }]
    error_message = "Lambda alone may take the role."
  }
  assert {
    condition     = output.log_group_name == "/aws/lambda/deployed" && aws_cloudwatch_log_group.function.retention_in_days == 30
    error_message = "Log lines are not kept for ever."
  }
  assert {
    condition     = aws_lambda_permission.api.source_arn == "${aws_apigatewayv2_api.this.execution_arn}/*/*" && aws_lambda_permission.api.principal == "apigateway.amazonaws.com"
    error_message = "This API alone may call the function."
  }
  assert {
    condition     = keys(aws_apigatewayv2_route.this) == ["$default"] && aws_apigatewayv2_route.this["$default"].authorization_type == "NONE"
    error_message = "Every request goes to the function."
  }
  assert {
    condition     = aws_apigatewayv2_stage.this.name == "$default" && aws_apigatewayv2_stage.this.auto_deploy && one(aws_apigatewayv2_stage.this.default_route_settings).throttling_rate_limit == 100
    error_message = "The API answers without a stage in the path, and is throttled."
  }
  assert {
    condition     = length(aws_apigatewayv2_stage.this.access_log_settings) == 0 && !endswith(output.api_url, "/") && startswith(output.api_url, "http")
    error_message = "There is no access log, and an address without a slash at the end."
  }
}
