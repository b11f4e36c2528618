# A bucket for lectures, a queue that hears of uploads, and the two roles' policies. State, region and who may assume the
# roles are the caller's:
#   terraform -chdir=infra/deploy/terraform init && terraform -chdir=infra/deploy/terraform apply -var bucket=NAME

terraform {
  required_version = ">= 1.6"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}

locals {
  names = {
    bucket   = var.bucket
    lectures = var.lectures
    dubs     = var.dubs
    cache    = var.cache
    queue    = aws_sqs_queue.uploads.arn
  }
}

resource "aws_s3_bucket" "lectures" {
  bucket = var.bucket
}

# A lecture that is replaced while it is being dubbed can be finished from its old version.
resource "aws_s3_bucket_versioning" "lectures" {
  bucket = aws_s3_bucket.lectures.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_public_access_block" "lectures" {
  bucket                  = aws_s3_bucket.lectures.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "lectures" {
  bucket = aws_s3_bucket.lectures.id
  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "lectures" {
  bucket = aws_s3_bucket.lectures.id
  rule {
    bucket_key_enabled = var.kms_key != null
    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "lectures" {
  bucket     = aws_s3_bucket.lectures.id
  depends_on = [aws_s3_bucket_versioning.lectures]

  rule {
    id     = "uploads-that-were-left"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }

  rule {
    id     = "cache"
    status = "Enabled"
    filter {
      prefix = var.cache
    }
    expiration {
      days = var.cache_days
    }
    noncurrent_version_expiration {
      noncurrent_days = 1
    }
  }

  rule {
    id     = "replaced-lectures"
    status = "Enabled"
    filter {
      prefix = var.lectures
    }
    noncurrent_version_expiration {
      noncurrent_days = 30
    }
  }
}

data "aws_iam_policy_document" "tls_only" {
  statement {
    sid       = "TlsOnly"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.lectures.arn, "${aws_s3_bucket.lectures.arn}/*"]
    principals {
      type        = "AWS"
      identifiers = ["*"]
    }
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "tls_only" {
  bucket = aws_s3_bucket.lectures.id
  policy = data.aws_iam_policy_document.tls_only.json
}

resource "aws_sqs_queue" "dead_letters" {
  name                      = "${var.bucket}-uploads-dead"
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue" "uploads" {
  name                       = "${var.bucket}-uploads"
  message_retention_seconds  = 1209600
  visibility_timeout_seconds = 120
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    maxReceiveCount     = 5
  })
}

data "aws_caller_identity" "here" {}

# Nobody but this bucket may put a message in.
data "aws_iam_policy_document" "bucket_may_notify" {
  statement {
    sid       = "BucketMayNotify"
    effect    = "Allow"
    actions   = ["sqs:SendMessage"]
    resources = [aws_sqs_queue.uploads.arn]
    principals {
      type        = "Service"
      identifiers = ["s3.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "aws:SourceArn"
      values   = [aws_s3_bucket.lectures.arn]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.here.account_id]
    }
  }
}

resource "aws_sqs_queue_policy" "uploads" {
  queue_url = aws_sqs_queue.uploads.id
  policy    = data.aws_iam_policy_document.bucket_may_notify.json
}

# Lectures only: a dub that is written must not start another.
resource "aws_s3_bucket_notification" "uploads" {
  bucket     = aws_s3_bucket.lectures.id
  depends_on = [aws_sqs_queue_policy.uploads]

  queue {
    id            = "lectures"
    queue_arn     = aws_sqs_queue.uploads.arn
    events        = ["s3:ObjectCreated:*"]
    filter_prefix = var.lectures
  }
}

resource "aws_iam_policy" "worker" {
  name        = "${var.bucket}-redub-worker"
  description = "Reads lectures, writes dubs and cache."
  policy      = templatefile("${path.module}/../iam/worker.json", local.names)
}

resource "aws_iam_policy" "receiver" {
  name        = "${var.bucket}-redub-receiver"
  description = "Takes notifications of uploads and looks for those that were missed."
  policy      = templatefile("${path.module}/../iam/receiver.json", local.names)
}
