"""The S3FD face detection network (Zhang et al. 2017)."""
