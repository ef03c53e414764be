# A public key without a line end. The service answers one with it, so the provider wants to replace the key.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0"
    }
  }
}

variable "endpoint" {
  description = "Where the CloudFront API answers."
  type        = string
}

variable "public_key" {
  description = "A public key, PEM."
  type        = string
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    cloudfront = var.endpoint
  }
}

resource "aws_cloudfront_public_key" "bare" {
  name        = "no-line-end"
  encoded_key = trimspace(var.public_key)
}

resource "aws_cloudfront_public_key" "whole" {
  name        = "line-end"
  encoded_key = "${trimspace(var.public_key)}\n"
}
