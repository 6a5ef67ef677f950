"""Generates representative streams, from text written for this project."""
