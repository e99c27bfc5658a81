"""Reading the command line: numbers and addresses that are checked at once, and errors in one line."""

import argparse
from math import isfinite
from typing import NoReturn

from dum import DialogUsageManager
from dum.message import Uri
from transport import Address, local_host_for


class Parser(argparse.ArgumentParser):
    """An argument parser that explains a mistake in one line on standard error and exits with 2."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, in one line, and exit with 2."""
        self.exit(2, f"{self.prog}: {' '.join(message.split())} ({self.prog} --help shows how it is used)\n")


def count(text: str) -> int:
    """Read a whole number that is at least 1."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 1")
    return number


def rate(text: str) -> float:
    """Read how many there are to be in a second: any positive number."""
    number = _number(text)
    if not number > 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a positive number")
    return number


def seconds(text: str) -> float:
    """Read a time in seconds: a number that is not negative."""
    number = _number(text)
    if not number >= 0:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of seconds")
    return number


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return -1.0
    return number if isfinite(number) else -1.0


def rejection(text: str) -> int:
    """Read the status that calls are rejected with, 300 to 699."""
    if not (text.isascii() and text.isdecimal() and 300 <= int(text) <= 699):
        raise argparse.ArgumentTypeError(f"{text!r} is not a status from 300 to 699")
    return int(text)


def address(text: str) -> str:
    """Check an address to listen on, such as udp:127.0.0.1:5060."""
    try:
        Address.parse(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
    return text


def target(text: str) -> str:
    """Check a SIP URI that is to be called."""
    try:
        scheme = Uri.parse(text).scheme
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} can't be called: {error}") from None
    if scheme not in ("sip", "sips"):
        raise argparse.ArgumentTypeError(f"{text!r} can't be called: it is no sip: or sips: URI")
    return text


def add_workers(parser: argparse.ArgumentParser) -> None:
    """Add the option that every command with a stack of its own has."""
    parser.add_argument(
        "--workers", type=count, default=2, metavar="N", help="threads that SIP and calls run on (%(default)s)"
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option for the result as one JSON object."""
    parser.add_argument("--json", action="store_true", help="write the result as one JSON object")


def add_listen(parser: argparse.ArgumentParser, otherwise: str) -> None:
    """Add the addresses to listen on; `otherwise` says what happens without."""
    parser.add_argument(
        "--listen",
        type=address,
        action="append",
        metavar="udp:HOST:PORT",
        help=f"address to listen on, port 0 for any that is free; may be repeated ({otherwise})",
    )


def listen_for(target: str) -> list[str]:
    """Return addresses to call `target` from, with any free port: those that can reach it.

    For an IP address that is the local host that the kernel sends from, for a name every local address, as its
    records may lead anywhere; UDP unless the URI asks for another transport, and TCP as well for a name.
    """
    uri = Uri.parse(target)
    wanted = (uri.parameters.get("transport") or "udp").lower()
    try:
        local = local_host_for(uri.host.strip("[]"))
    except (ValueError, OSError):
        return [f"{transport}:0.0.0.0:0" for transport in dict.fromkeys((wanted, "udp", "tcp"))]
    return [f"{wanted}:[{local}]:0" if ":" in local else f"{wanted}:{local}:0"]


def open_manager(listen: list[str], workers: int) -> DialogUsageManager:
    """Return a manager that listens on these addresses; raises OSError naming them when that can't be."""
    try:
        return DialogUsageManager(listen, workers=workers)
    except OSError as error:
        raise OSError(f"can't listen on {', '.join(listen)}: {error.strerror or error}") from error
