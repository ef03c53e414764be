resource "aws_apigatewayv2_api" "this" {
  name          = var.name
  description   = "Signed links from the function ${var.name}"
  protocol_type = "HTTP"
  tags          = var.tags
}

resource "aws_apigatewayv2_integration" "this" {
  api_id                 = aws_apigatewayv2_api.this.id
  integration_type       = "AWS_PROXY"
  integration_uri        = aws_lambda_function.this.arn
  integration_method     = "POST"
  payload_format_version = "2.0"
  # Longer than the function's own timeout. Otherwise the API gives up first, and no log shows why.
  timeout_milliseconds = min(var.timeout_seconds * 1000 + 500, 30000)
}

resource "aws_apigatewayv2_authorizer" "jwt" {
  count = var.jwt_authorizer == null ? 0 : 1

  api_id           = aws_apigatewayv2_api.this.id
  name             = "jwt"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = var.jwt_authorizer.issuer
    audience = var.jwt_authorizer.audiences
  }
}

resource "aws_apigatewayv2_route" "this" {
  for_each = setunion(var.routes, var.public_routes)

  api_id             = aws_apigatewayv2_api.this.id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.this.id}"
  authorization_type = local.guarded[each.key] ? "JWT" : "NONE"
  authorizer_id      = local.guarded[each.key] ? aws_apigatewayv2_authorizer.jwt[0].id : null
}

locals {
  guarded = {
    for route in setunion(var.routes, var.public_routes) :
    route => var.jwt_authorizer != null && !contains(var.public_routes, route)
  }
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.tags

  default_route_settings {
    throttling_rate_limit  = var.throttling_rate
    throttling_burst_limit = var.throttling_burst
  }

  dynamic "access_log_settings" {
    for_each = aws_cloudwatch_log_group.access

    content {
      destination_arn = access_log_settings.value.arn
      # The route instead of the path, so that the log has nothing that a caller can choose.
      format = jsonencode({
        requestId        = "$context.requestId"
        time             = "$context.requestTime"
        ip               = "$context.identity.sourceIp"
        method           = "$context.httpMethod"
        route            = "$context.routeKey"
        status           = "$context.status"
        bytes            = "$context.responseLength"
        milliseconds     = "$context.responseLatency"
        integrationError = "$context.integrationErrorMessage"
        authorizerError  = "$context.authorizer.error"
      })
    }
  }
}

resource "aws_cloudwatch_log_group" "access" {
  count = var.access_log ? 1 : 0

  name              = "/aws/apigateway/${var.name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.log_kms_key_arn
  tags              = var.tags
}

resource "aws_lambda_permission" "api" {
  statement_id  = "OnlyThisApi"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.this.function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.this.execution_arn}/*/*"
}
