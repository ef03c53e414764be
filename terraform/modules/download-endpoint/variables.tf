variable "name" {
  description = "The name of the function, the role, the API and the log groups: 1 to 60 letters, digits, `-` and `_`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{1,60}$", var.name))
    error_message = "name must have 1 to 60 letters, digits, - and _."
  }
}

variable "package" {
  description = "The function's code: `zip`, a file on this machine, or `s3_bucket` and `s3_key` (and `s3_object_version`)."
  type = object({
    zip               = optional(string)
    s3_bucket         = optional(string)
    s3_key            = optional(string)
    s3_object_version = optional(string)
  })
  nullable = false

  validation {
    condition     = (var.package.zip != null) != (var.package.s3_bucket != null)
    error_message = "package must have either zip, or s3_bucket with s3_key."
  }

  validation {
    condition     = (var.package.s3_bucket != null) == (var.package.s3_key != null)
    error_message = "package must have both s3_bucket and s3_key, or neither."
  }

  validation {
    condition     = var.package.s3_object_version == null || var.package.s3_bucket != null
    error_message = "s3_object_version in package needs s3_bucket and s3_key."
  }

  validation {
    condition     = try(fileexists(var.package.zip), var.package.zip == null)
    error_message = "The file ${coalesce(var.package.zip, ".")} does not exist: build the package first."
  }
}

variable "handler" {
  description = "The function's entry point in the package."
  type        = string
  default     = "keyfront.backend.aws_lambda.handler"
  nullable    = false
}

variable "runtime" {
  description = "The Lambda runtime, such as `python3.12`."
  type        = string
  default     = "python3.12"
  nullable    = false
}

variable "architecture" {
  description = "The architecture that the package was built for: `x86_64` or `arm64`."
  type        = string
  default     = "x86_64"
  nullable    = false

  validation {
    condition     = contains(["x86_64", "arm64"], var.architecture)
    error_message = "architecture must be x86_64 or arm64."
  }
}

variable "memory_mb" {
  description = "Memory in MiB, 128 to 10240. More memory also means more CPU, which RSA signatures use."
  type        = number
  default     = 512
  nullable    = false

  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 10240 && floor(var.memory_mb) == var.memory_mb
    error_message = "memory_mb must be a whole number from 128 to 10240."
  }
}

variable "timeout_seconds" {
  description = "How long one call may take, 1 to 30 seconds. An HTTP API does not wait longer than 30."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 30 && floor(var.timeout_seconds) == var.timeout_seconds
    error_message = "timeout_seconds must be a whole number from 1 to 30: an HTTP API does not wait longer."
  }
}

variable "layers" {
  description = "ARNs of layers with their versions, at most five. An example is AWS's parameters-and-secrets extension, from which the function reads its key. The deployer needs `lambda:GetLayerVersion` on them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(var.layers) <= 5 && alltrue([for arn in var.layers : can(regex("^arn:aws[a-z-]*:lambda:[a-z0-9-]+:[0-9]{12}:layer:[A-Za-z0-9_-]+:[0-9]+$", arn))])
    error_message = "layers must have at most five ARNs, each with its version: arn:aws:lambda:REGION:ACCOUNT:layer:NAME:VERSION."
  }
}

variable "cloudfront_domain" {
  description = "The host of the signed links: the distribution's domain (`d….cloudfront.net`) or one of its aliases, without a scheme."
  type        = string
  nullable    = false

  validation {
    condition     = !can(regex("^(.+\\.)?s3[.-]([a-z0-9-]+\\.)*amazonaws\\.com(\\.cn)?$", var.cloudfront_domain))
    error_message = "cloudfront_domain is a bucket, which does not check CloudFront's signatures: give the distribution's domain, d….cloudfront.net."
  }

  validation {
    condition     = can(regex("^(https?://)?[A-Za-z0-9.-]+(:[0-9]+)?$", var.cloudfront_domain))
    error_message = "cloudfront_domain must be a host, such as d111111abcdef8.cloudfront.net, without a path or a slash."
  }
}

variable "key_pair_id" {
  description = "The public key's id in CloudFront (`current_key_id` of `trusted-key-group`). Leave it out if the parameter holds a JSON document, which has the id."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^(K[A-Z0-9]{1,31}|APKA[A-Z0-9]{16})$", coalesce(var.key_pair_id, "K0")))
    error_message = "key_pair_id must be the public key's id in CloudFront, K…, not the id of a key group, a distribution or an IAM access key."
  }
}

variable "signer" {
  description = "Where the signing key is (output `signer` of `signing-key`): `ssm:/NAME` or `kms:alias/NAME`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(ssm:/[A-Za-z0-9_./-]+|kms:(alias/[A-Za-z0-9_/-]+|arn:[a-z-]+:kms:.+|[A-Za-z0-9-]+))$", var.signer))
    error_message = "signer must be ssm:/NAME of a parameter, or kms: with alias/NAME, an ARN or an id of a key."
  }

  validation {
    condition     = !startswith(var.signer, "kms:") || var.key_pair_id != null
    error_message = "signer is a KMS key, and KMS does not have the key's id in CloudFront: set key_pair_id."
  }
}

variable "signing_policy_json" {
  description = "What the function may do with the signing key (output `iam_policy_json` of `signing-key`). A policy that allows anything else is refused."
  type        = string
  nullable    = false

  validation {
    condition = can(jsondecode(var.signing_policy_json)) && alltrue([
      for statement in try(flatten([jsondecode(var.signing_policy_json).Statement]), [{}]) :
      try(statement.Effect, "") == "Allow" && length(setsubtract(
        try(flatten([statement.Action]), ["none"]), ["ssm:GetParameter", "kms:Decrypt", "kms:Sign", "kms:GetPublicKey"],
      )) == 0 && !anytrue([for resource in try(flatten([statement.Resource]), ["*"]) : strcontains(resource, "*")])
    ])
    error_message = "signing_policy_json must be a policy that allows only ssm:GetParameter, kms:Decrypt, kms:Sign and kms:GetPublicKey, on resources without wildcards. Attach any other policy to role_name."
  }
}

variable "environment" {
  description = "More environment variables, such as `DATABASE_URL`, `JWT_ISSUER` or `LINK_SECONDS`. The state has them, and everybody who may read the function sees them, so do not put a private key here."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.environment), ["CLOUDFRONT_DOMAIN", "KEYPAIR_ID", "PRIVATE_KEY_PARAMETER", "SIGNER"])) == 0
    error_message = "environment must not have CLOUDFRONT_DOMAIN, KEYPAIR_ID, PRIVATE_KEY_PARAMETER or SIGNER: set cloudfront_domain, key_pair_id and signer."
  }

  validation {
    condition     = alltrue([for name in keys(var.environment) : can(regex("^[A-Za-z][A-Za-z0-9_]+$", name)) && !startswith(name, "AWS_LAMBDA_")])
    error_message = "Names in environment must begin with a letter and have at least two letters, digits and _. Lambda reserves AWS_LAMBDA_…"
  }
}

variable "entitlements_table" {
  description = "The table with who may download what: the module `entitlements-table` itself, or its `name` and `iam_policy_json`. The function reads its entries by their keys. If not given, `environment` says who may download what."
  type = object({
    name            = string
    iam_policy_json = string
  })
  default = null

  validation {
    condition = var.entitlements_table == null || try(alltrue([
      for statement in flatten([jsondecode(var.entitlements_table.iam_policy_json).Statement]) :
      statement.Effect == "Allow" && length(setsubtract(flatten([statement.Action]), ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query"])) == 0
      && !anytrue([for resource in flatten([statement.Resource]) : strcontains(resource, "*")])
    ]), false)
    error_message = "iam_policy_json in entitlements_table must allow only dynamodb:BatchGetItem, GetItem and Query, on tables without wildcards. Attach any other policy to role_name."
  }

  validation {
    condition     = var.entitlements_table == null || length(setintersection(keys(var.environment), ["ENTITLEMENTS_TABLE", "DATABASE_URL", "KEYFRONT_ENTITLEMENTS"])) == 0
    error_message = "entitlements_table and environment (${join(", ", setintersection(keys(var.environment), ["ENTITLEMENTS_TABLE", "DATABASE_URL", "KEYFRONT_ENTITLEMENTS"]))}) both say who may download what: give only one of them."
  }
}

variable "routes" {
  description = "The API's routes that need the JWT authorizer, if there is one: `$default` for every request, or `METHOD /path`, such as `GET /downloads/{proxy+}`."
  type        = set(string)
  default     = ["$default"]
  nullable    = false

  validation {
    condition     = alltrue([for route in var.routes : can(regex("^(\\$default|(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /\\S*)$", route))])
    error_message = "Each of routes must be $default, or a method (GET, …, ANY) and a path, such as GET /downloads/{proxy+}."
  }
}

variable "public_routes" {
  description = "Routes that do not need the JWT authorizer, such as `GET /health`."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for route in var.public_routes : can(regex("^(\\$default|(ANY|GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /\\S*)$", route))])
    error_message = "Each of public_routes must be $default, or a method (GET, …, ANY) and a path, such as GET /health."
  }

  validation {
    condition     = length(setintersection(var.routes, var.public_routes)) == 0
    error_message = "routes and public_routes both have ${join(", ", setintersection(var.routes, var.public_routes))}: remove it from one of them."
  }

  validation {
    condition     = length(var.routes) + length(var.public_routes) > 0
    error_message = "routes and public_routes are both empty: the API would refuse every request."
  }
}

variable "jwt_authorizer" {
  description = "Whose tokens API Gateway accepts: the `issuer` (an https address) and the `audiences`. If not given, every request reaches the function, which decides."
  type = object({
    issuer    = string
    audiences = list(string)
  })
  default = null

  validation {
    condition     = var.jwt_authorizer == null || try(startswith(var.jwt_authorizer.issuer, "https://"), false)
    error_message = "issuer in jwt_authorizer must begin with https://."
  }

  validation {
    condition     = var.jwt_authorizer == null || try(length(var.jwt_authorizer.audiences) > 0, false)
    error_message = "audiences in jwt_authorizer is empty: every token of the issuer would be accepted, including those for other applications."
  }
}

variable "throttling_rate" {
  description = "How many requests per second the API accepts on average."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.throttling_rate > 0
    error_message = "throttling_rate must be above 0."
  }
}

variable "throttling_burst" {
  description = "How many requests the API accepts at once."
  type        = number
  default     = 200
  nullable    = false

  validation {
    condition     = var.throttling_burst >= 1 && floor(var.throttling_burst) == var.throttling_burst
    error_message = "throttling_burst must be a whole number, 1 or more."
  }
}

variable "access_log" {
  description = "Whether the API logs a line for each request: time, IP address, route, status. The log has no query string and no headers, because they may hold tokens."
  type        = bool
  default     = false
  nullable    = false
}

variable "log_retention_days" {
  description = "For how many days the logs are kept."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 and 3653."
  }
}

variable "log_kms_key_arn" {
  description = "Encrypt the log groups with this KMS key. Its policy must allow the principal `logs.REGION.amazonaws.com` to use it. Default: CloudWatch's own encryption."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:key/.+$", coalesce(var.log_kms_key_arn, "arn:aws:kms:us-east-1:123456789012:key/-")))
    error_message = "log_kms_key_arn must be the ARN of a KMS key, not of an alias: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "tags" {
  description = "Tags for every resource that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
