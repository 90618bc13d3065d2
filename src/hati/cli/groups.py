"""Groups of commands: the options of all of them, what a mistyped one may have meant, and how each ends."""

from collections.abc import Iterator
from contextlib import contextmanager
from os.path import exists
from pathlib import PurePath
from typing import Any

import click

from ..errors import ArgumentError, HatiError, UnknownModel
from . import loudness
from .printing import print_error, print_fault


class Group(click.Group):
    """A group whose commands all can be quiet or tell more, and that has a hint where a command is not known."""

    def add_command(self, command: click.Command, name: str | None = None) -> None:
        command.params += loudness.OPTIONS
        super().add_command(command, name)

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        if not arguments and not context.resilient_parsing:
            click.echo(context.get_help(), err=True, color=context.color)
            context.exit(2)
        return super().parse_args(context, arguments)

    def resolve_command(
        self, context: click.Context, arguments: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = arguments[0]
        if context.resilient_parsing or name in self.commands or (name.startswith("-") and name != "-"):
            return super().resolve_command(context, arguments)
        raise click.UsageError(f"there is no command {name!r}; {self.hint(name, context.command_path)}")

    def hint(self, name: str, path: str) -> str:
        """What may have been meant by a name that is no command's."""
        from difflib import get_close_matches

        close = get_close_matches(name.lower(), self.commands)
        return f"did you mean {' or '.join(close)}?" if close else f"`{path} --help` lists them all"


class Program(Group):
    """The whole: what hati logs and Python's warnings are lines on standard error, errors one message and a status."""

    def main(self, *arguments: Any, **settings: Any) -> Any:
        with loudness.listening():
            return super().main(*arguments, **settings)

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        with _ending_in_a_message():
            return super().make_context(*arguments, **settings)

    def invoke(self, context: click.Context) -> Any:
        with _ending_in_a_message():
            return super().invoke(context)

    def hint(self, name: str, path: str) -> str:
        if not _may_be_a_photo(name):
            return super().hint(name, path)
        from shlex import quote

        return f"`hati classify {quote(name)}` names what is in a photo"


def _may_be_a_photo(name: str) -> bool:
    from ..photos import is_url
    from ..photos.finding import SUFFIXES

    return name == "-" or exists(name) or is_url(name) or PurePath(name).suffix.lower() in SUFFIXES


@contextmanager
def _ending_in_a_message() -> Iterator[None]:
    """Errors end in one message; wrong use in exit status 2, everything else in 1."""
    try:
        yield
    except click.ClickException as error:
        print_fault(_with_help(error))
        status = error.exit_code
    except KeyboardInterrupt:
        print_fault("stopped")
        status = 1
    except HatiError as error:
        print_error(error)
        status = 2 if isinstance(error, ArgumentError | UnknownModel) else 1
    else:
        return
    raise click.exceptions.Exit(status)


def _with_help(error: click.ClickException) -> str:
    """What click found wrong with the words of a command, and where the right ones are told."""
    said, context = error.format_message(), getattr(error, "ctx", None)
    if context is None:
        return said
    return f"{said}{'' if said.endswith(('.', '?')) else '.'} See `{context.command_path} --help`"
