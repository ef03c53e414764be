# A real apply of the endpoint with every option.

variables {
  name              = "guarded"
  package           = { zip = "tests/package.zip" }
  handler           = "index.handler"
  cloudfront_domain = "d111111abcdef8.cloudfront.net"
  signer            = "ssm:/guarded/signing-key"
  tags              = { team = "shop" }

  signing_policy_json = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "ReadParameter", Effect = "Allow", Action = "ssm:GetParameter",
      Resource = "arn:aws:ssm:us-east-1:123456789012:parameter/guarded/signing-key"
    }]
  })
}

run "tokens_a_kms_key_and_an_access_log" {
  variables {
    signer         = "kms:alias/guarded"
    key_pair_id    = "K2JCJMDEHXQW5F"
    routes         = ["GET /download/{item}"]
    public_routes  = ["GET /healthz"]
    jwt_authorizer = { issuer = "https://login.example.com", audiences = ["shop"] }
    access_log     = true

    entitlements_table = {
      name = "guarded"
      iam_policy_json = jsonencode({
        Version = "2012-10-17"
        Statement = [{
          Effect   = "Allow", Action = "dynamodb:BatchGetItem",
          Resource = "arn:aws:dynamodb:us-east-1:123456789012:table/guarded"
        }]
      })
    }

    signing_policy_json = jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid      = "Sign", Effect = "Allow", Action = ["kms:Sign", "kms:GetPublicKey"],
        Resource = "arn:aws:kms:us-east-1:123456789012:key/11111111-2222-3333-4444-555555555555"
      }]
    })
  }

  assert {
    condition     = aws_lambda_function.this.environment[0].variables == tomap({ CLOUDFRONT_DOMAIN = "d111111abcdef8.cloudfront.net", KEYPAIR_ID = "K2JCJMDEHXQW5F", SIGNER = "kms:alias/guarded", ENTITLEMENTS_TABLE = "guarded" })
    error_message = "The function is told which KMS key signs, its id in CloudFront, and the table."
  }
  assert {
    condition     = jsondecode(aws_iam_role_policy.entitlements[0].policy) == jsondecode(var.entitlements_table.iam_policy_json)
    error_message = "The role may read the table."
  }
  assert {
    condition = { for name, route in aws_apigatewayv2_route.this : name => route.authorization_type } == {
      "GET /download/{item}" = "JWT", "GET /healthz" = "NONE",
    }
    error_message = "Routes need a token, but for the public ones."
  }
  assert {
    condition     = one(aws_apigatewayv2_authorizer.jwt[0].jwt_configuration).audience == toset(["shop"])
    error_message = "Tokens are for this audience."
  }
  assert {
    condition     = one(aws_apigatewayv2_stage.this.access_log_settings).destination_arn == aws_cloudwatch_log_group.access[0].arn && !can(regex("path|query|header", one(aws_apigatewayv2_stage.this.access_log_settings).format))
    error_message = "The access log has nothing that a caller may have put a token in."
  }
}
