terraform {
  required_version = ">= 1.11" # the module signing-key

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.88, < 7"
    }
  }
}
