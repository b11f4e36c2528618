"""Uploads that start dubs: notifications of an object store, or polling it, become events that a deployment awaits."""
