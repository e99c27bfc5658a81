"""Reading the command line."""

import argparse
import socket
from collections.abc import Callable
from typing import Any

import pytest

from dum.cli import arguments


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (arguments.count, "1", 1),
        (arguments.count, "3000", 3000),
        (arguments.rate, "0.5", 0.5),
        (arguments.seconds, "0", 0.0),
        (arguments.seconds, "1.5", 1.5),
        (arguments.rejection, "486", 486),
        (arguments.address, "udp:127.0.0.1:0", "udp:127.0.0.1:0"),
        (arguments.address, "udp:[::1]:5060", "udp:[::1]:5060"),
        (arguments.target, "sip:bob@127.0.0.1:5070", "sip:bob@127.0.0.1:5070"),
    ],
)
def test_what_can_be_read(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text"),
    [
        *((arguments.count, text) for text in ("0", "-1", "1.5", "many", "")),
        *((arguments.rate, text) for text in ("0", "-1", "nan", "inf", "fast")),
        *((arguments.seconds, text) for text in ("-0.1", "nan", "inf", "soon")),
        *((arguments.rejection, text) for text in ("200", "299", "700", "-486", "busy")),
        *((arguments.address, text) for text in ("127.0.0.1:5060", "udp:127.0.0.1:port", "udp:127.0.0.1:70000", "")),
        *((arguments.target, text) for text in ("bob", "tel:+4930123456", "sip:", "mailto:bob@example.com", "")),
    ],
)
def test_what_can_not_be_read(read: Callable[[str], Any], text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=r"\w"):
        read(text)


def test_a_mistake_is_one_line_and_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    parser = arguments.Parser(prog="dum test")
    parser.add_argument("--calls", type=arguments.count)
    with pytest.raises(SystemExit) as left:
        parser.parse_args(["--calls", "a\nb"])
    assert left.value.code == 2
    written = capsys.readouterr()
    assert written.out == ""
    assert written.err.count("\n") == 1
    assert "argument --calls" in written.err


def test_a_call_is_placed_from_the_host_that_reaches_its_target() -> None:
    assert arguments.listen_for("sip:bob@127.0.0.1:5070") == ["udp:127.0.0.1:0"]
    assert arguments.listen_for("sip:bob@[::1]:5070") == ["udp:[::1]:0"]
    assert arguments.listen_for("sip:bob@127.0.0.1;transport=TCP") == ["tcp:127.0.0.1:0"]
    assert arguments.listen_for("sip:bob@example.invalid") == ["udp:0.0.0.0:0", "tcp:0.0.0.0:0"]
    assert arguments.listen_for("sip:bob@example.invalid;transport=tcp") == ["tcp:0.0.0.0:0", "udp:0.0.0.0:0"]


def test_an_address_in_use_is_named() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        listen = f"udp:127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(OSError, match=rf"can't listen on {listen}: \w"):
            arguments.open_manager([listen], 1)
