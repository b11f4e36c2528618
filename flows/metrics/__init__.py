"""`redub metrics`: what a machine has dubbed and what waits, for Prometheus."""
