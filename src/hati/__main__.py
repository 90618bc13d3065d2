"""`python -m hati`, where the `hati` command is not on the path."""

from .cli import main

main(prog_name="hati")
