variable "name" {
  description = "The table's name: 3 to 255 letters, digits, `_`, `.` and `-`."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[A-Za-z0-9_.-]{3,255}$", var.name))
    error_message = "name must have 3 to 255 letters, digits, _, . and -."
  }
}

variable "deletion_protection" {
  description = "Whether the table refuses to be destroyed. It has the only record of who bought what."
  type        = bool
  default     = true
  nullable    = false
}

variable "tags" {
  description = "Tags for every resource that takes tags."
  type        = map(string)
  default     = {}
  nullable    = false
}
