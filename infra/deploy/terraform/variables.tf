variable "bucket" {
  description = "The bucket's name."
  type        = string
}

variable "lectures" {
  description = "Where lectures are uploaded."
  type        = string
  default     = "lectures/"
}

variable "dubs" {
  description = "Where dubs are written. Outside of `lectures`, so that a dub starts no other."
  type        = string
  default     = "dubbed/"

  validation {
    condition     = !startswith(var.dubs, var.lectures)
    error_message = "Dubs must not lie among the lectures."
  }
}

variable "cache" {
  description = "Finished work that workers share."
  type        = string
  default     = "cache/"
}

variable "cache_days" {
  description = "How long finished work is kept; what is asked for later is done again."
  type        = number
  default     = 60
}

variable "kms_key" {
  description = "A KMS key's ARN to encrypt with; null for S3's own keys. Its policy must let the two roles use it."
  type        = string
  default     = null
}
