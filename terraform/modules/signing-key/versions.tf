terraform {
  required_version = ">= 1.11" # write-only arguments

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.x is allowed, and has not run here yet.
      version = ">= 5.88, < 7" # aws_ssm_parameter's value_wo
    }
  }
}
