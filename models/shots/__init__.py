"""Shot detection: where one camera position or slide ends and the next begins."""
