"""Objects in S3 and its kin: addresses, reading, writing, and the faults that come with a network."""
