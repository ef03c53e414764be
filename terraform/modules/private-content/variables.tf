variable "name" {
  description = "The beginning of the bucket's name, and the distribution's default comment: 3 to 30 lower-case letters, digits and hyphens."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 30 lower-case letters, digits and hyphens, and begin and end with a letter or digit: bucket names allow nothing else."
  }
}

variable "aliases" {
  description = "Your own host names. They need certificate_arn."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "certificate_arn" {
  description = "The ACM certificate, in us-east-1, that covers the aliases. The minimum is then TLS 1.2. With CloudFront's own certificate Amazon decides, and allows TLS 1.0."
  type        = string
  default     = null

  validation {
    condition     = (var.certificate_arn != null) == (length(var.aliases) > 0)
    error_message = "aliases and certificate_arn need each other: give both, or neither."
  }
  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.certificate_arn))
    error_message = "certificate_arn must be in us-east-1: CloudFront takes certificates from no other region."
  }
}

variable "comment" {
  description = "The distribution's comment, at most 128 characters. Default: name."
  type        = string
  default     = null

  validation {
    condition     = length(coalesce(var.comment, "-")) <= 128
    error_message = "comment must have at most 128 characters."
  }
}

variable "enabled" {
  description = "Whether the distribution serves requests."
  type        = bool
  default     = true
  nullable    = false
}

variable "default_root_object" {
  description = "The object for a request for /, such as index.html."
  type        = string
  default     = null
}

variable "custom_error_responses" {
  description = "The responses for an error: error_code => response_code and response_page_path (both or neither), and for how many seconds the error is cached. A page for 403 replaces the response of the signature check."
  type = map(object({
    response_code         = optional(number)
    response_page_path    = optional(string)
    error_caching_min_ttl = optional(number, 10)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for r in values(var.custom_error_responses) : (r.response_code == null) == (r.response_page_path == null)])
    error_message = "A custom error response must have both response_code and response_page_path, or neither."
  }
}

variable "price_class" {
  description = "Which edge locations serve: PriceClass_All, PriceClass_200 or PriceClass_100."
  type        = string
  default     = "PriceClass_All"
  nullable    = false

  validation {
    condition     = contains(["PriceClass_All", "PriceClass_200", "PriceClass_100"], var.price_class)
    error_message = "price_class must be PriceClass_All, PriceClass_200 or PriceClass_100."
  }
}

variable "http_version" {
  description = "The newest HTTP version for viewers: http1.1, http2, http3 or http2and3."
  type        = string
  default     = "http2and3"
  nullable    = false

  validation {
    condition     = contains(["http1.1", "http2", "http3", "http2and3"], var.http_version)
    error_message = "http_version must be http1.1, http2, http3 or http2and3."
  }
}

variable "ipv6" {
  description = "Serve over IPv6 too. Off by default: a policy with an address (AWS:SourceIp) refuses every viewer that comes over IPv6."
  type        = bool
  default     = false
  nullable    = false
}

variable "geo_restriction" {
  description = "Countries (ISO 3166-1 alpha-2): only these are served (type whitelist), or all but these (type blacklist)."
  type = object({
    type      = string
    locations = list(string)
  })
  default = null

  validation {
    condition     = try(contains(["whitelist", "blacklist"], var.geo_restriction.type) && length(var.geo_restriction.locations) > 0, var.geo_restriction == null)
    error_message = "geo_restriction must have the type whitelist or blacklist, and at least one country."
  }
}

variable "access_logs" {
  description = "Standard access logs. If not given, there are no logs. bucket_domain_name (BUCKET.s3.amazonaws.com) is your own bucket that allows ACLs. If not given, the module makes one and deletes its logs after expire_days. kms_key_arn encrypts that bucket with your KMS key, whose policy must allow the principal delivery.logs.amazonaws.com kms:GenerateDataKey*. The logs have whole query strings, including signatures; include_cookies adds signed cookies."
  type = object({
    bucket_domain_name = optional(string)
    prefix             = optional(string, "")
    include_cookies    = optional(bool, false)
    expire_days        = optional(number, 90)
    kms_key_arn        = optional(string)
  })
  default = null

  validation {
    condition     = try(var.access_logs.kms_key_arn == null || var.access_logs.bucket_domain_name == null, true)
    error_message = "kms_key_arn in access_logs is for the bucket that the module makes: encrypt your own bucket where you make it."
  }
  validation {
    condition     = can(regex("^arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:(key|alias)/.+$", coalesce(try(var.access_logs.kms_key_arn, null), "arn:aws:kms:us-east-1:123456789012:key/-")))
    error_message = "kms_key_arn in access_logs must be the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID."
  }
}

variable "web_acl_arn" {
  description = "The ARN of a WAF web ACL (WAFv2, scope CLOUDFRONT)."
  type        = string
  default     = null
}

variable "wait_for_deployment" {
  description = "Wait in an apply until every edge location has the change."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags of the buckets and the distribution."
  type        = map(string)
  default     = {}
  nullable    = false
}
