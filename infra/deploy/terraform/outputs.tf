output "queue_url" {
  description = "For the receiver."
  value       = aws_sqs_queue.uploads.url
}

output "worker_policy" {
  description = "To attach to the workers' role."
  value       = aws_iam_policy.worker.arn
}

output "receiver_policy" {
  description = "To attach to the receiver's role."
  value       = aws_iam_policy.receiver.arn
}
