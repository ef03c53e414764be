variable "name" {
  description = "The name of the workgroup, and the start of other names: 3 to 36 lower-case letters, digits and `-`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{2,35}$", var.name))
    error_message = "name must have 3 to 36 lower-case letters, digits and -, and begin with a letter."
  }
}

variable "bucket" {
  description = "The bucket with the access logs."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be the name of a bucket, without s3:// and without a prefix."
  }
}

variable "prefix" {
  description = "The part of the keys before the partitions, such as `AWSLogs/123456789012/CloudFront`."
  type        = string
  default     = ""
  nullable    = false
}

variable "format" {
  description = "How the files are written: `parquet`, `json` or `w3c`. Legacy logs are `w3c`."
  type        = string
  default     = "w3c"
  nullable    = false

  validation {
    condition     = contains(["parquet", "json", "w3c"], var.format)
    error_message = "format must be parquet, json or w3c."
  }
}

variable "fields" {
  description = "The log's fields, for `w3c` in their order. Default: the 33 fields of legacy logs."
  type        = list(string)
  nullable    = false
  default = [
    "date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status",
    "cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id",
    "x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher",
    "x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port",
    "time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start",
    "sc-range-end",
  ]

  validation {
    condition = length(setsubtract(
      ["cs(Host)", "x-host-header", "cs-protocol", "cs-method", "cs-uri-stem", "cs-uri-query", "cs(Cookie)", "cs(Referer)",
        "cs(User-Agent)", "c-ip", "sc-status", "sc-bytes", "time-taken", "x-edge-result-type",
      "x-edge-detailed-result-type", "date", "time"],
      var.fields,
    )) == 0
    error_message = "fields must contain date, time, c-ip, sc-status, sc-bytes, time-taken, cs-method, cs-protocol, cs-uri-stem, cs-uri-query, cs(Host), x-host-header, cs(Cookie), cs(Referer), cs(User-Agent), x-edge-result-type and x-edge-detailed-result-type: the queries read them."
  }
}

variable "distribution_ids" {
  description = "The distributions, if the keys have a folder for each (`{DistributionId}/{yyyy}/{MM}/{dd}`); otherwise null."
  type        = list(string)
  default     = null
}

variable "partitioned" {
  description = "Whether the keys have folders for years, months and days (`{yyyy}/{MM}/{dd}`). Legacy logs do not."
  type        = bool
  default     = true
  nullable    = false
}

variable "hive" {
  description = "Whether the folders are Hive-compatible (`DistributionId=E1AAAAAAAAAAAA/year=2030/month=01/day=31`)."
  type        = bool
  default     = false
  nullable    = false

  validation {
    condition     = !var.hive || var.partitioned
    error_message = "hive is about the folders of partitions, so it needs partitioned = true."
  }
}

variable "distribution_variable" {
  description = "How the suffix path writes the distribution's id: `DistributionId`, or `distributionid` (which Amazon's guide asks for with Glue). Hive-compatible folders have the name of the variable."
  type        = string
  default     = "DistributionId"
  nullable    = false

  validation {
    condition     = contains(["DistributionId", "distributionid"], var.distribution_variable)
    error_message = "distribution_variable must be DistributionId or distributionid, as in the suffix path, and is \"${var.distribution_variable}\"."
  }
}

variable "first_day" {
  description = "The first day with logs, such as `2030-01-31`. Athena looks for no earlier ones."
  type        = string
  default     = "2025-01-01"
  nullable    = false

  validation {
    condition     = can(formatdate("YYYY", "${var.first_day}T00:00:00Z"))
    error_message = "first_day must be a day, such as 2030-01-31."
  }
}

variable "days" {
  description = "How many days the saved queries look back. You can change it in each query."
  type        = number
  default     = 7
  nullable    = false

  validation {
    condition     = var.days >= 1 && floor(var.days) == var.days
    error_message = "days must be a whole number from 1 on."
  }
}

variable "scan_limit_gb" {
  description = "The most that one query may read, in GB. Athena cancels a query that reads more."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.scan_limit_gb >= 1 && floor(var.scan_limit_gb) == var.scan_limit_gb
    error_message = "scan_limit_gb must be a whole number from 1 on."
  }
}

variable "tags" {
  description = "Tags for every resource that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
