"""Messages by others: nothing raised, and a verdict as expected or as explained here."""

from pathlib import Path

import pytest

from dum.message import Malformed, Request, Response, parse

DATA = Path(__file__).parent / "data" / "messages"

# Where the collection's verdict is not ours, and why.
OTHERWISE = {
    **dict.fromkeys(
        ("jain-014", "jain-338"), "an empty line or space that the collection's own markup spoilt: refused"
    ),
    **dict.fromkeys(("jain-332", "jain-364", "jain-373"), "Content-Length beyond the body as collected: refused"),
    "jain-007": "an unknown scheme in the Request-URI: for the layer above to answer with 416",
    "jain-015": "spaces inside angle brackets: refused, as RFC 4475 section 3.1.2.14 has it",
    "jain-024": "a method nobody knows is no fault of the message",
    "jain-025": "a response without From, To and Call-ID: refused",
    "jain-366": "two of each single header: refused, as RFC 4475 section 3.3.8 has it",
    "pcap-pcapplusplus-sip_reqs-02-udp": "cut short by the capture: refused",
    "pcap-sip-header-multi-value-sip_header_multi_val-01-udp": "two To fields: refused",
}


def index() -> list[tuple[str, str]]:
    lines = (DATA / "INDEX.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [(row[0].removesuffix(".sip"), row[2]) for row in rows]


@pytest.mark.parametrize(("name", "expected"), index())
def test_verdict(name: str, expected: str) -> None:
    data = (DATA / f"{name}.sip").read_bytes()
    message = parse(data)
    if isinstance(message, Request):
        message = message.check() or message
    if expected in ("ok", "real", "error"):
        agrees = isinstance(message, Malformed) == (expected == "error")
        assert agrees == (name not in OTHERWISE), message
    if isinstance(message, Malformed):
        message.response("here")
        return
    assert message.encode() in data
    for field, _ in message.fields:
        message.headers(field)
    answer = message.respond(200) if isinstance(message, Request) else message
    assert isinstance(parse(answer.encode()), Response)


@pytest.mark.parametrize("name", ["rfc4475/wsinv.dat", "rfc4475/mpart01.dat", "messages/jain-127.sip"])
def test_every_prefix_gives_a_value(name: str) -> None:
    whole = (DATA.parent / name).read_bytes()
    for size in range(len(whole)):
        message = parse(whole[:size])
        if isinstance(message, Malformed):
            message.response("here")
        elif isinstance(message, Request):
            message.check()
