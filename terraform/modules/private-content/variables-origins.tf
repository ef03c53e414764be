variable "create_bucket" {
  description = "Make a private bucket, the origin \"content\". Set it to false if other origins have all the content."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.create_bucket || length(var.buckets) + length(var.custom_origins) + length(var.function_urls) > 0
    error_message = "Without a bucket the distribution needs another origin: set buckets, custom_origins or function_urls."
  }
}

variable "bucket_name" {
  description = "The bucket's name. Default: name with a unique suffix."
  type        = string
  default     = null
}

variable "bucket_kms_key_arn" {
  description = "Encrypt the bucket with this KMS key instead of S3's own. The key policy must allow the principal cloudfront.amazonaws.com kms:Decrypt for this distribution."
  type        = string
  default     = null
}

variable "abort_incomplete_uploads_days" {
  description = "After how many days S3 deletes the parts of uploads to the bucket that were never completed. They cost as much as objects, and no listing shows them."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.abort_incomplete_uploads_days >= 1 && floor(var.abort_incomplete_uploads_days) == var.abort_incomplete_uploads_days
    error_message = "abort_incomplete_uploads_days must be a whole number from 1 on."
  }
}

variable "force_destroy" {
  description = "Delete the content and the access logs together with the buckets. If false, destroying a bucket that is not empty fails."
  type        = bool
  default     = false
  nullable    = false
}

variable "origin_shield_region" {
  description = "The region of the Origin Shield in front of the bucket \"content\", such as us-east-1: the one nearest to the bucket. Default: none. It costs extra."
  type        = string
  default     = null

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", coalesce(var.origin_shield_region, "us-east-1")))
    error_message = "origin_shield_region must be a region, such as us-east-1, and is \"${coalesce(var.origin_shield_region, "-")}\"."
  }
}

variable "buckets" {
  description = "Existing buckets as origins, by name. region is the bucket's; default: the provider's. write_policy = true replaces the bucket's whole policy: only this distribution may then read, and only over TLS. Otherwise add bucket_policies_json (an output) to the bucket's own policy."
  type = map(object({
    bucket               = string
    region               = optional(string)
    path                 = optional(string, "")
    write_policy         = optional(bool, false)
    origin_shield_region = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for b in values(var.buckets) : can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", b.bucket))])
    error_message = "bucket in buckets must be the name of a bucket, without s3://, a host or a path (set path). Invalid: ${join(", ", [for b in values(var.buckets) : b.bucket if !can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", b.bucket))])}"
  }
  validation {
    condition     = alltrue([for b in values(var.buckets) : can(regex("^(/[^/?]+)*$", b.path))])
    error_message = "path in buckets must begin with / and not end with one, such as /films."
  }
}

variable "custom_origins" {
  description = "HTTP servers as origins, by name. protocol_policy is https-only, http-only or match-viewer. Timeouts are in seconds."
  type = map(object({
    domain_name          = string
    protocol_policy      = optional(string, "https-only")
    http_port            = optional(number, 80)
    https_port           = optional(number, 443)
    ssl_protocols        = optional(list(string), ["TLSv1.2"])
    path                 = optional(string, "")
    read_timeout         = optional(number, 30)
    keepalive_timeout    = optional(number, 5)
    connection_attempts  = optional(number, 3)
    connection_timeout   = optional(number, 10)
    origin_shield_region = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for o in values(var.custom_origins) : contains(["https-only", "http-only", "match-viewer"], o.protocol_policy)])
    error_message = "protocol_policy must be https-only, http-only or match-viewer."
  }
  validation {
    condition     = alltrue([for o in values(var.custom_origins) : can(regex("^[A-Za-z0-9.-]+$", o.domain_name))])
    error_message = "An origin's domain_name must be a host name without https://, a port (set http_port, https_port) or a path (set path)."
  }
}

variable "custom_origin_headers" {
  description = "Headers that CloudFront adds to its requests to a custom origin: origin name => header => value. With a secret header, the origin can refuse requests that bypass CloudFront. The state has the values."
  type        = map(map(string))
  default     = {}
  nullable    = false
  sensitive   = true
}

variable "function_urls" {
  description = "Lambda function URLs as origins, by name. url is function_url of an aws_lambda_function_url with authorization_type AWS_IAM. The module lets this distribution call the function, and CloudFront signs its requests. A viewer that sends a body must send its SHA-256 in x-amz-content-sha256."
  type = map(object({
    url                  = string
    function_name        = string
    qualifier            = optional(string)
    path                 = optional(string, "")
    read_timeout         = optional(number, 30)
    keepalive_timeout    = optional(number, 5)
    origin_shield_region = optional(string)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for f in values(var.function_urls) : can(regex("^(https://)?[A-Za-z0-9-]+\\.lambda-url\\.[A-Za-z0-9.-]+/?$", f.url))])
    error_message = "url in function_urls must be the address of a function URL, https://ID.lambda-url.REGION.on.aws/. Invalid: ${join(", ", [for f in values(var.function_urls) : f.url if !can(regex("^(https://)?[A-Za-z0-9-]+\\.lambda-url\\.[A-Za-z0-9.-]+/?$", f.url))])}"
  }
}

variable "origin_groups" {
  description = "Pairs of origins, by name: if primary cannot be reached or answers with one of status_codes, CloudFront asks secondary. Only for GET, HEAD and OPTIONS. A bucket answers 403 for an object that does not exist."
  type = map(object({
    primary      = string
    secondary    = string
    status_codes = optional(list(number), [500, 502, 503, 504])
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for g in values(var.origin_groups) : length(g.status_codes) > 0 && length(setsubtract(g.status_codes, [403, 404, 416, 429, 500, 502, 503, 504])) == 0])
    error_message = "status_codes in origin_groups must have at least one of 403, 404, 416, 429, 500, 502, 503 and 504: CloudFront fails over on no others."
  }
}
