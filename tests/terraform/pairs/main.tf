# A key value store with two pairs.

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

variable "pairs" {
  description = "The pairs."
  type        = map(string)
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true

  endpoints {
    cloudfront              = var.endpoint
    cloudfrontkeyvaluestore = replace(var.endpoint, "127.0.0.1", "localhost")
  }
}

resource "aws_cloudfront_key_value_store" "this" {
  name    = "redirects"
  comment = "Old paths and new ones"
}

resource "aws_cloudfrontkeyvaluestore_key" "this" {
  for_each = var.pairs

  key_value_store_arn = aws_cloudfront_key_value_store.this.arn
  key                 = each.key
  value               = each.value
}
