"""Signing up, signing in, standing: one file a story."""
