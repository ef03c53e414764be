# HTTP APIs with what moto alone could not change: a stage's throttling, logs and tags, and an API made in one call.
# `revision` 1 is what is made first; 2 changes what can change, and takes the logs away.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "endpoint" {
  description = "Where the API answers."
  type        = string
}

variable "revision" {
  description = "1 or 2."
  type        = number
  default     = 1
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    apigatewayv2 = var.endpoint
    iam          = var.endpoint
    sts          = var.endpoint
  }
}

resource "aws_apigatewayv2_api" "this" {
  name          = "staged"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_stage" "this" {
  api_id      = aws_apigatewayv2_api.this.id
  name        = "$default"
  auto_deploy = true
  tags        = var.revision == 1 ? { team = "a", cost = "1" } : { team = "b" }

  default_route_settings {
    throttling_burst_limit = var.revision == 1 ? 10 : 20
    throttling_rate_limit  = var.revision == 1 ? 5 : 7.5
  }

  dynamic "access_log_settings" {
    for_each = var.revision == 1 ? ["first"] : []
    iterator = name
    content {
      destination_arn = "arn:aws:logs:us-east-1:123456789012:log-group:${name.value}"
      format          = "$context.requestId"
    }
  }
}

resource "aws_apigatewayv2_api" "quick" {
  name          = "quick"
  protocol_type = "HTTP"
  route_key     = var.revision == 1 ? "GET /links" : "POST /links"
  target        = "arn:aws:lambda:us-east-1:123456789012:function:download-${var.revision}"
}
