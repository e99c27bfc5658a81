"""The command line: `dum serve`, `dum call`, `dum load` and `dum demo`.

Every command ends with 0 when all went well, with 1 when something did not, and with 2, after one line that says what
is wrong, when it was asked for in a way that can't be done. With `--json` a command writes one JSON object to standard
output and nothing else there.
"""

import logging
import sys
from collections.abc import Sequence

from dum.cli import call, demo, load, serve
from dum.cli.arguments import Parser

_COMMANDS = (serve, call, load, demo)


def parser() -> Parser:
    """Return the parser of the whole command line; each command's `run` is in `run` of what it parses to."""
    whole = Parser(prog="dum", description="Answers and places SIP calls.")
    commands = whole.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser)
    for command in _COMMANDS:
        command.add_to(commands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, that of the process unless given, and return its exit status; never raises for bad input."""
    logging.basicConfig(format="dum: %(levelname)s: %(message)s", level=logging.WARNING)
    try:
        parsed = parser().parse_args(arguments)
    except SystemExit as asked:
        return int(asked.code or 0)
    try:
        return int(parsed.run(parsed))
    except ValueError as error:
        print(f"dum: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"dum: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("dum: interrupted", file=sys.stderr)
        return 130


__all__ = ["main", "parser"]
