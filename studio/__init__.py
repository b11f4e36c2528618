"""The studio: a page on which a lecturer uploads a lecture, watches it being dubbed, mends it, and takes it home."""
