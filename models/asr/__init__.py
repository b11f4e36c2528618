"""Speech recognition: words with times, and which language is spoken."""
