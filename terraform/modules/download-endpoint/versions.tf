terraform {
  required_version = ">= 1.9" # a variable's validation looks at other variables

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # 6.x is allowed, and has not run here yet.
      version = ">= 5.80, < 7"
    }
  }
}
