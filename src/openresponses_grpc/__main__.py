"""Runs the `openresponses` command as `python -m openresponses_grpc`."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="openresponses")
