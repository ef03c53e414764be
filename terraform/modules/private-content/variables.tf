variable "name" {
  description = "The beginning of the bucket's name, and the distribution's default comment: 3 to 30 lower-case letters, digits and hyphens."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name must have 3 to 30 lower-case letters, digits and hyphens, and begin and end with a letter or digit: bucket names allow nothing else."
  }
}

variable "default_key_group_ids" {
  description = "Trusted key groups of the default behavior. A path that matches no path pattern needs a signature by one of their keys. Empty only with public_default."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.public_default != (length(var.default_key_group_ids) > 0)
    error_message = var.public_default ? "public_default = true opens the default behavior, default_key_group_ids protects it: give only one of them." : "The default behavior is neither protected nor public: give default_key_group_ids, or set public_default = true to open it to everybody."
  }

  validation {
    condition     = !anytrue([for id in var.default_key_group_ids : can(regex("^[KE][A-Z0-9]{12,14}$", id))])
    error_message = "default_key_group_ids must have ids of key groups (key_group_id of trusted-key-group), not of public keys or distributions."
  }
}

variable "public_default" {
  description = "Open every path that matches no path pattern to everybody. Cannot be combined with default_key_group_ids."
  type        = bool
  default     = false
  nullable    = false
}

variable "default_behavior" {
  description = "The other settings of the default behavior, as in behaviors."
  type = object({
    origin                     = optional(string)
    viewer_protocol_policy     = optional(string, "https-only")
    allowed_methods            = optional(list(string), ["GET", "HEAD", "OPTIONS"])
    compress                   = optional(bool, true)
    cache_policy               = optional(string, "Managed-CachingOptimized")
    cache_policy_id            = optional(string)
    origin_request_policy      = optional(string)
    origin_request_policy_id   = optional(string)
    response_headers_policy    = optional(string)
    response_headers_policy_id = optional(string)
    function_arns              = optional(map(string), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["https-only", "redirect-to-https"], var.default_behavior.viewer_protocol_policy)
    error_message = "viewer_protocol_policy must be https-only or redirect-to-https: over plain HTTP anybody on the network path can read the signature."
  }
  validation {
    condition     = var.default_behavior.origin == null || contains(local.origin_ids, coalesce(var.default_behavior.origin, "content"))
    error_message = "default_behavior has an origin that does not exist: give \"content\" (the bucket, with create_bucket) or a name in custom_origins."
  }
  validation {
    condition     = var.default_behavior.origin != null || length(local.origin_ids) == 1 || var.create_bucket
    error_message = "There are several custom origins and no bucket: choose the default one, default_behavior = { origin = NAME }."
  }
}

variable "behaviors" {
  description = "Behaviors before the default one, in the order in which CloudFront tries them. Each has key_group_ids or public = true. origin is \"content\" (the bucket) or a name in custom_origins. Give policies by name (cache_policy; default \"Managed-CachingOptimized\") or by id (cache_policy_id) if they are made in the same apply. function_arns has CloudFront functions by event type."
  type = list(object({
    path_pattern               = string
    key_group_ids              = optional(list(string), [])
    public                     = optional(bool, false)
    origin                     = optional(string)
    viewer_protocol_policy     = optional(string, "https-only")
    allowed_methods            = optional(list(string), ["GET", "HEAD", "OPTIONS"])
    compress                   = optional(bool, true)
    cache_policy               = optional(string, "Managed-CachingOptimized")
    cache_policy_id            = optional(string)
    origin_request_policy      = optional(string)
    origin_request_policy_id   = optional(string)
    response_headers_policy    = optional(string)
    response_headers_policy_id = optional(string)
    function_arns              = optional(map(string), {})
  }))
  default  = []
  nullable = false

  validation {
    condition     = alltrue([for b in var.behaviors : can(regex("^[A-Za-z0-9_.*$/~\"'@:+&?-]{1,255}$", b.path_pattern))])
    error_message = "A path pattern must have 1 to 255 of the characters A-Z a-z 0-9 _ - . * $ / ~ \" ' @ : + & ?, and does not match the query string. Invalid: ${join(", ", [for b in var.behaviors : b.path_pattern if !can(regex("^[A-Za-z0-9_.*$/~\"'@:+&?-]{1,255}$", b.path_pattern))])}"
  }
  validation {
    condition     = alltrue([for b in var.behaviors : b.public != (length(b.key_group_ids) > 0)])
    error_message = "A behavior must have key_group_ids or public = true, and not both. Invalid: ${join(", ", [for b in var.behaviors : b.path_pattern if b.public == (length(b.key_group_ids) > 0)])}"
  }
  validation {
    condition     = !anytrue([for id in flatten(var.behaviors[*].key_group_ids) : can(regex("^[KE][A-Z0-9]{12,14}$", id))])
    error_message = "key_group_ids must have ids of key groups (key_group_id of trusted-key-group), not of public keys or distributions."
  }
  validation {
    condition     = alltrue([for b in var.behaviors : contains(["https-only", "redirect-to-https"], b.viewer_protocol_policy)])
    error_message = "viewer_protocol_policy must be https-only or redirect-to-https: over plain HTTP anybody on the network path can read the signature."
  }
  validation {
    condition     = alltrue([for b in var.behaviors : b.origin == null || contains(local.origin_ids, coalesce(b.origin, "content"))])
    error_message = "A behavior has an origin that does not exist: give \"content\" (the bucket, with create_bucket) or a name in custom_origins. Invalid: ${join(", ", [for b in var.behaviors : b.path_pattern if !(b.origin == null || contains(local.origin_ids, coalesce(b.origin, "content")))])}"
  }
}

variable "create_bucket" {
  description = "Make a private bucket, the origin \"content\". Set it to false if custom_origins has all the content."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.create_bucket || length(var.custom_origins) > 0
    error_message = "Without a bucket the distribution needs a custom origin: set custom_origins."
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

variable "force_destroy" {
  description = "Delete the content and the access logs together with the buckets. If false, destroying a bucket that is not empty fails."
  type        = bool
  default     = false
  nullable    = false
}

variable "custom_origins" {
  description = "HTTP servers as origins, by name. protocol_policy is https-only, http-only or match-viewer. Timeouts are in seconds."
  type = map(object({
    domain_name         = string
    protocol_policy     = optional(string, "https-only")
    http_port           = optional(number, 80)
    https_port          = optional(number, 443)
    ssl_protocols       = optional(list(string), ["TLSv1.2"])
    path                = optional(string, "")
    read_timeout        = optional(number, 30)
    keepalive_timeout   = optional(number, 5)
    connection_attempts = optional(number, 3)
    connection_timeout  = optional(number, 10)
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
  validation {
    condition     = !contains(keys(var.custom_origins), "content")
    error_message = "\"content\" is the name of the bucket's origin: give the custom origin another name."
  }
}

variable "custom_origin_headers" {
  description = "Headers that CloudFront adds to its requests to a custom origin: origin name => header => value. With a secret header, the origin can refuse requests that bypass CloudFront. The state has the values."
  type        = map(map(string))
  default     = {}
  nullable    = false
  sensitive   = true

  validation {
    condition     = alltrue([for name in keys(var.custom_origin_headers) : contains(keys(var.custom_origins), name)])
    error_message = "custom_origin_headers has an origin that is not in custom_origins."
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
  description = "Standard access logs. If not given, there are no logs. bucket_domain_name (BUCKET.s3.amazonaws.com) is your own bucket that allows ACLs. If not given, the module makes one and deletes its logs after expire_days. The logs have whole query strings, including signatures; include_cookies adds signed cookies."
  type = object({
    bucket_domain_name = optional(string)
    prefix             = optional(string, "")
    include_cookies    = optional(bool, false)
    expire_days        = optional(number, 90)
  })
  default = null
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
