"""Guarding the account: one file a story."""
