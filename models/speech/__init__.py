"""Speech synthesis: the voice table, text normalisation and the engines."""
