variable "name" {
  description = "What the bucket and the distribution's comment are named after: lower-case letters, digits and hyphens, at most 30."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,28}[a-z0-9]$", var.name))
    error_message = "name is 3 to 30 lower-case letters, digits and hyphens, and begins and ends with a letter or digit: bucket names allow no more."
  }
}

variable "default_key_group_ids" {
  description = "Trusted key groups of the default behavior: whatever no path pattern matches needs a signature by one of their keys. Empty only together with public_default."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = var.public_default != (length(var.default_key_group_ids) > 0)
    error_message = var.public_default ? "public_default = true opens the default behavior, default_key_group_ids protects it: give one of the two." : "Nothing says who may read what no path pattern matches: give default_key_group_ids, or say public_default = true to open it to everybody."
  }
}

variable "public_default" {
  description = "Open whatever no path pattern matches to everybody. Never by accident: it contradicts default_key_group_ids."
  type        = bool
  default     = false
  nullable    = false
}

variable "default_behavior" {
  description = "The rest of the default behavior; each as in behaviors."
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
    error_message = "viewer_protocol_policy is https-only or redirect-to-https: over plain HTTP anybody on the way can read the signature."
  }
  validation {
    condition     = var.default_behavior.origin == null || contains(local.origin_ids, coalesce(var.default_behavior.origin, "content"))
    error_message = "default_behavior names an origin that does not exist: \"content\" is the bucket (with create_bucket), the others are the names in custom_origins."
  }
  validation {
    condition     = var.default_behavior.origin != null || length(local.origin_ids) == 1 || var.create_bucket
    error_message = "There are several custom origins and no bucket: say which one answers by default, default_behavior = { origin = NAME }."
  }
}

variable "behaviors" {
  description = "Behaviors before the default one, in the order in which CloudFront tries them. Each is protected by key_group_ids, or says public = true. origin is \"content\" (the bucket) or a name in custom_origins. Policies are named (cache_policy, \"Managed-CachingOptimized\" unless told otherwise) or, if they are made in the same apply, given by their id (cache_policy_id). function_arns: CloudFront functions by event type."
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
    error_message = "A path pattern has 1 to 255 of the characters A-Z a-z 0-9 _ - . * $ / ~ \" ' @ : + & ?; a URL's query string is no part of it. Not so: ${join(", ", [for b in var.behaviors : b.path_pattern if !can(regex("^[A-Za-z0-9_.*$/~\"'@:+&?-]{1,255}$", b.path_pattern))])}"
  }
  validation {
    condition     = alltrue([for b in var.behaviors : b.public != (length(b.key_group_ids) > 0)])
    error_message = "A behavior is protected by key_group_ids, or says public = true, and never both. Not so: ${join(", ", [for b in var.behaviors : b.path_pattern if b.public == (length(b.key_group_ids) > 0)])}"
  }
  validation {
    condition     = alltrue([for b in var.behaviors : contains(["https-only", "redirect-to-https"], b.viewer_protocol_policy)])
    error_message = "viewer_protocol_policy is https-only or redirect-to-https: over plain HTTP anybody on the way can read the signature."
  }
  validation {
    condition     = alltrue([for b in var.behaviors : b.origin == null || contains(local.origin_ids, coalesce(b.origin, "content"))])
    error_message = "A behavior names an origin that does not exist: \"content\" is the bucket (with create_bucket), the others are the names in custom_origins. Not so: ${join(", ", [for b in var.behaviors : b.path_pattern if !(b.origin == null || contains(local.origin_ids, coalesce(b.origin, "content")))])}"
  }
}

variable "create_bucket" {
  description = "Make a private bucket, which is the origin \"content\". False if custom_origins has all the content."
  type        = bool
  default     = true
  nullable    = false

  validation {
    condition     = var.create_bucket || length(var.custom_origins) > 0
    error_message = "Without a bucket there must be a custom origin: the distribution needs something to serve."
  }
}

variable "bucket_name" {
  description = "The bucket's name. Without it: name, and a suffix that nobody else has."
  type        = string
  default     = null
}

variable "bucket_kms_key_arn" {
  description = "Encrypt the bucket with this KMS key, not with S3's own. The key's policy must let the principal cloudfront.amazonaws.com use kms:Decrypt for this distribution."
  type        = string
  default     = null
}

variable "force_destroy" {
  description = "Delete the content, and the access logs, together with the buckets. False: destroying a bucket with something in it fails."
  type        = bool
  default     = false
  nullable    = false
}

variable "custom_origins" {
  description = "Origins that are no bucket of this module, by name: HTTP servers. protocol_policy is https-only, http-only or match-viewer; timeouts are in seconds."
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
    error_message = "protocol_policy is https-only, http-only or match-viewer."
  }
  validation {
    condition     = alltrue([for o in values(var.custom_origins) : can(regex("^[A-Za-z0-9.-]+$", o.domain_name))])
    error_message = "An origin's domain_name is a host name: no https://, no port (http_port, https_port), no path (path)."
  }
  validation {
    condition     = !contains(keys(var.custom_origins), "content")
    error_message = "\"content\" is the bucket's name among the origins: call the custom origin something else."
  }
}

variable "custom_origin_headers" {
  description = "Headers that CloudFront adds to its requests to a custom origin: origin name => header => value. With a secret one the origin can refuse whoever goes around CloudFront. The values are in the state."
  type        = map(map(string))
  default     = {}
  nullable    = false
  sensitive   = true

  validation {
    condition     = alltrue([for name in keys(var.custom_origin_headers) : contains(keys(var.custom_origins), name)])
    error_message = "custom_origin_headers names an origin that is not in custom_origins."
  }
}

variable "aliases" {
  description = "Host names of your own. Needs certificate_arn."
  type        = list(string)
  default     = []
  nullable    = false
}

variable "certificate_arn" {
  description = "ACM certificate, in us-east-1, that covers the aliases. TLS 1.2 is then the least; with CloudFront's own certificate Amazon decides, and allows TLS 1.0."
  type        = string
  default     = null

  validation {
    condition     = (var.certificate_arn != null) == (length(var.aliases) > 0)
    error_message = "aliases and certificate_arn belong together: give both, or neither."
  }
  validation {
    condition     = var.certificate_arn == null || can(regex("^arn:aws[a-z-]*:acm:us-east-1:", var.certificate_arn))
    error_message = "CloudFront takes certificates from the region us-east-1 alone."
  }
}

variable "comment" {
  description = "The distribution's comment, at most 128 characters. Without it: name."
  type        = string
  default     = null

  validation {
    condition     = length(coalesce(var.comment, "-")) <= 128
    error_message = "A comment has at most 128 characters."
  }
}

variable "enabled" {
  description = "Whether the distribution serves."
  type        = bool
  default     = true
  nullable    = false
}

variable "default_root_object" {
  description = "What a request for / gets, such as index.html."
  type        = string
  default     = null
}

variable "custom_error_responses" {
  description = "What viewers get for an error: error_code => response_code and response_page_path (both or neither), and how many seconds the error is cached. A page for 403 replaces the signature check's own answer."
  type = map(object({
    response_code         = optional(number)
    response_page_path    = optional(string)
    error_caching_min_ttl = optional(number, 10)
  }))
  default  = {}
  nullable = false

  validation {
    condition     = alltrue([for r in values(var.custom_error_responses) : (r.response_code == null) == (r.response_page_path == null)])
    error_message = "A custom error response has response_code and response_page_path, or neither."
  }
}

variable "price_class" {
  description = "Which edge locations serve: PriceClass_All, PriceClass_200 or PriceClass_100."
  type        = string
  default     = "PriceClass_All"
  nullable    = false

  validation {
    condition     = contains(["PriceClass_All", "PriceClass_200", "PriceClass_100"], var.price_class)
    error_message = "price_class is PriceClass_All, PriceClass_200 or PriceClass_100."
  }
}

variable "http_version" {
  description = "The newest HTTP version for viewers: http1.1, http2, http3 or http2and3."
  type        = string
  default     = "http2and3"
  nullable    = false

  validation {
    condition     = contains(["http1.1", "http2", "http3", "http2and3"], var.http_version)
    error_message = "http_version is http1.1, http2, http3 or http2and3."
  }
}

variable "ipv6" {
  description = "Answer over IPv6 too. Off, since a policy with an address (AWS:SourceIp) never lets a viewer in who comes over IPv6."
  type        = bool
  default     = false
  nullable    = false
}

variable "geo_restriction" {
  description = "Countries (ISO 3166-1 alpha-2) that alone are served (type whitelist), or never (type blacklist)."
  type = object({
    type      = string
    locations = list(string)
  })
  default = null

  validation {
    condition     = try(contains(["whitelist", "blacklist"], var.geo_restriction.type) && length(var.geo_restriction.locations) > 0, var.geo_restriction == null)
    error_message = "geo_restriction has type whitelist or blacklist, and at least one country."
  }
}

variable "access_logs" {
  description = "Standard access logs; none without it. bucket_domain_name (BUCKET.s3.amazonaws.com) is a bucket of yours that allows ACLs; without it one is made, and its logs are deleted after expire_days. The logs hold whole query strings, signatures included; include_cookies adds signed cookies."
  type = object({
    bucket_domain_name = optional(string)
    prefix             = optional(string, "")
    include_cookies    = optional(bool, false)
    expire_days        = optional(number, 90)
  })
  default = null
}

variable "web_acl_arn" {
  description = "A WAF web ACL (WAFv2, scope CLOUDFRONT)."
  type        = string
  default     = null
}

variable "wait_for_deployment" {
  description = "End an apply when every edge location has the change."
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
