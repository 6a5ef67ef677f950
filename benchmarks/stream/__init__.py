"""Compares the stream service with other ways to stream events from a publisher through a server to subscribers."""
