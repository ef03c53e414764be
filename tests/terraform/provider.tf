# What all configurations of this folder begin with. The provider takes seconds to check other settings.

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

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  # The account's number, which the provider asks IAM and STS for, is the id of `aws_cloudfront_origin_access_identities`:
  # with skip_requesting_account_id it has none, and Terraform takes what it found for nothing.
  endpoints {
    cloudfront              = var.endpoint
    cloudfrontkeyvaluestore = replace(var.endpoint, "127.0.0.1", "localhost")
    iam                     = var.endpoint
    sts                     = var.endpoint
  }
}
