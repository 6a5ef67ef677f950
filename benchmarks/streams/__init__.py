"""Streams that stand for what people send, made from text of our own."""
