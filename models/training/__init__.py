"""Training: its data on disk, losses, augmentation, and the loops that fit the networks."""
