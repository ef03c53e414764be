terraform {
  required_version = ">= 1.9" # a variable's validation looks at other variables

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80, < 7"
    }
  }
}
