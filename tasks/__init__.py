"""Stages: pure functions from records and settings to records, and what runs them."""
