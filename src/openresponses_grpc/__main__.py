"""`python -m openresponses_grpc` is the command `openresponses`."""

from .cli import main

if __name__ == "__main__":
    main(prog_name="openresponses")
