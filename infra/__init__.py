"""Side effects on media: decoding, encoding, splicing, muxing, and the content-addressed store."""
