"""The HTTP gateway against a plain server of server-sent events."""
