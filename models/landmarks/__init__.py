"""Dense face landmarks: where the lips, the jaw and the still parts of a face are."""
