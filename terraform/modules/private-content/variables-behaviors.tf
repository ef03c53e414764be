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
    lambda_functions = optional(map(object({
      arn          = string
      include_body = optional(bool, false)
    })), {})
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["https-only", "redirect-to-https"], var.default_behavior.viewer_protocol_policy)
    error_message = "viewer_protocol_policy must be https-only or redirect-to-https: over plain HTTP anybody on the network path can read the signature."
  }
  validation {
    condition     = var.default_behavior.origin == null || contains(local.target_names, coalesce(var.default_behavior.origin, "content"))
    error_message = "default_behavior has the origin \"${coalesce(var.default_behavior.origin, "-")}\", which does not exist. There are: ${join(", ", local.target_names)}."
  }
  validation {
    condition     = var.default_behavior.origin != null || length(local.origin_names) <= 1 || var.create_bucket
    error_message = "There are several origins and no bucket \"content\": choose the default one, default_behavior = { origin = NAME }."
  }
}

variable "behaviors" {
  description = "Behaviors before the default one, in the order in which CloudFront tries them. Each has key_group_ids or public = true. origin is \"content\" (the bucket), or a name in buckets, custom_origins, function_urls or origin_groups. Give policies by name (cache_policy; default \"Managed-CachingOptimized\") or by id (cache_policy_id) if they are made in the same apply. function_arns has CloudFront functions by event type, lambda_functions the versions of Lambda@Edge functions in us-east-1."
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
    lambda_functions = optional(map(object({
      arn          = string
      include_body = optional(bool, false)
    })), {})
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
    condition     = alltrue([for b in var.behaviors : b.origin == null || contains(local.target_names, coalesce(b.origin, "content"))])
    error_message = "A behavior has an origin that does not exist. There are: ${join(", ", local.target_names)}. Invalid: ${join(", ", [for b in var.behaviors : "${b.path_pattern} (${b.origin})" if !(b.origin == null || contains(local.target_names, coalesce(b.origin, "content")))])}"
  }
}

variable "default_response_headers_policy" {
  description = "The response headers policy, by name, of every behavior that has none of its own, such as \"Managed-SecurityHeadersPolicy\". That one forbids pages of other sites to show the content in a frame."
  type        = string
  default     = null

  validation {
    condition     = var.default_response_headers_policy == null || var.default_response_headers_policy_id == null
    error_message = "default_response_headers_policy and default_response_headers_policy_id both name a policy: give only one of them."
  }
}

variable "default_response_headers_policy_id" {
  description = "The same by id, for a policy that is made in the same apply."
  type        = string
  default     = null
}
