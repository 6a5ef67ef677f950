"""Compares the HTTP gateway with a plain server of server-sent events."""
