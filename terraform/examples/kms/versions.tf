terraform {
  required_version = ">= 1.11" # the module signing-key needs it

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.88, < 7"
    }
  }
}
