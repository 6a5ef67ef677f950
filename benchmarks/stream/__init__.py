"""The stream service against other ways to send the same events from a publisher through a server to subscribers."""
