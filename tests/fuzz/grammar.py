"""A Hypothesis grammar of SIP messages, spelt every way the RFC allows, and mutations that break them."""

from hypothesis import strategies as st

TOKENS = st.text("abcXYZ019-.!%*_+`'~", min_size=1, max_size=12)
WORDS = st.text("abcXYZ019-.!%*_+`'~()<>:\\/\"[]?{}", min_size=1, max_size=12)
HOSTS = st.one_of(
    st.sampled_from(["example.com", "Host-1.Example.COM", "192.0.2.1", "[2001:db8::1]", "[::ffff:192.0.2.10]", "a"]),
    st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?\.[a-z]{2,5}", fullmatch=True),
)
PORTS = st.one_of(st.just(""), st.integers(0, 65535).map(lambda port: f":{port}"))
METHODS = st.sampled_from(["INVITE", "ACK", "BYE", "OPTIONS", "REGISTER", "NOTIFY", "odd-Method!", "invite"])
BLANKS = st.sampled_from(["", " ", "  ", "\t", "\r\n ", " \r\n\t "])
SPACES = st.sampled_from([" ", "  ", "\r\n ", "\t"])

USERS = st.text("abcABC019-_.!~*'()&=+$,;?/", max_size=10)
QUOTED = st.text('ab \\"<>,;:@é\x07', max_size=8).map(
    lambda text: '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
)


@st.composite
def parameter_lists(draw: st.DrawFn, names: st.SearchStrategy[str] = TOKENS) -> str:
    """``;a=b ; c = "d"``."""
    parts = []
    for name in draw(st.lists(names, max_size=3)):
        value = draw(st.one_of(st.none(), TOKENS, QUOTED, HOSTS))
        before, after = draw(st.tuples(BLANKS, BLANKS))
        parts.append(f"{before};{after}{name}" + ("" if value is None else f"{draw(BLANKS)}={draw(BLANKS)}{value}"))
    return "".join(parts)


@st.composite
def uris(draw: st.DrawFn) -> str:
    """sip, sips, tel and other URIs without white space."""
    kind = draw(st.sampled_from(["sip:", "sips:", "SIP:", "tel:", "urn:"]))
    if kind == "tel:":
        return "tel:+1-201-555-0123" + draw(st.sampled_from(["", ";ext=1"]))
    if kind == "urn:":
        return "urn:service:sos"
    user = draw(USERS)
    parameters = "".join(f";{name}={value}" for name, value in draw(st.lists(st.tuples(TOKENS, TOKENS), max_size=2)))
    parameters = parameters.replace("%", "-")
    return f"{kind}{user + '@' if user else ''}{draw(HOSTS)}{draw(PORTS)}{parameters}"


@st.composite
def addresses(draw: st.DrawFn, tag: bool = True) -> str:
    """A name-addr or addr-spec, with or without tag and other parameters."""
    rest = draw(parameter_lists())
    first = (
        f"{draw(st.sampled_from([';tag=', ' ; Tag = ', ';TAG=']))}{draw(TOKENS)}" if tag and draw(st.booleans()) else ""
    )
    if draw(st.booleans()):
        uri = draw(uris())
        return (uri if not set(",;?") & set(uri) else f"<{uri}>") + first + rest
    display = draw(st.one_of(st.just(""), QUOTED, st.sampled_from(["Bob", "Bob Smith ", "Élodie "])))
    return f"{display}{draw(BLANKS)}<{draw(uris())}>{first}{rest}"


@st.composite
def vias(draw: st.DrawFn) -> str:
    """One Via value."""
    odd = draw(st.integers(0, 3)) == 0
    slash = "/".join(("SIP", "2.0", draw(st.sampled_from(["UDP", "TCP", "TLS", "WS", "x-odd"]))))
    if odd:
        slash = slash.replace("/", f"{draw(st.sampled_from(['', ' ']))}/{draw(st.sampled_from(['', ' ', '  ']))}")
    branch = f";branch={draw(st.sampled_from(['z9hG4bK', '']))}{draw(TOKENS)}" if draw(st.booleans()) else ""
    before = draw(st.sampled_from(["", ";rport", ";rport=99", ";received=192.0.2.9", "" if branch else " ;Branch=x"]))
    return f"{slash}{draw(SPACES) if odd else ' '}{draw(HOSTS)}{draw(PORTS)}{before}{branch}{draw(parameter_lists())}"


SPELLINGS = {
    "Via": ["Via", "Via", "Via", "v", "VIA", "via"],
    "From": ["From", "From", "f", "FROM"],
    "To": ["To", "To", "t", "tO"],
    "Call-ID": ["Call-ID", "Call-ID", "i", "Call-Id"],
    "CSeq": ["CSeq", "CSeq", "cseq"],
    "Content-Length": ["Content-Length", "Content-Length", "l", "content-length"],
    "Max-Forwards": ["Max-Forwards", "max-forwards"],
    "Contact": ["Contact", "m"],
}


@st.composite
def header_lines(draw: st.DrawFn, name: str, value: str) -> str:
    """One header line: mostly as usual, sometimes in an odd spelling or with odd blanks."""
    if draw(st.integers(0, 3)):
        return f"{name}: {value}"
    spelt = draw(st.sampled_from(SPELLINGS.get(name, [name])))
    return f"{spelt}{draw(st.sampled_from(['', ' ', '\t']))}:{draw(BLANKS)}{value}{draw(st.sampled_from(['', ' ']))}"


@st.composite
def messages(draw: st.DrawFn) -> bytes:
    """A message that follows the grammar (its parameters may repeat, which only some headers forbid)."""
    method = draw(METHODS)
    body = draw(st.binary(max_size=40))
    if draw(st.booleans()):
        start = f"{method} {draw(uris())} SIP/2.0"
    else:
        start = f"SIP/2.0 {draw(st.integers(100, 699))} {draw(st.sampled_from(['OK', '', 'Très long']))}"
    fields = [
        ("Via", ", ".join(draw(st.lists(vias(), min_size=1, max_size=3)))) for _ in range(draw(st.integers(1, 2)))
    ]
    fields += [("From", draw(addresses())), ("To", draw(addresses())), ("Call-ID", draw(WORDS))]
    fields += [("CSeq", f"{draw(st.integers(0, 2**31 - 1))}{draw(SPACES)}{method}")]
    if draw(st.booleans()):
        fields.append(("Content-Length", str(len(body))))
    fields += [("Contact", draw(addresses(tag=False))) for _ in range(draw(st.integers(0, 2)))]
    fields += draw(st.sampled_from([[], [("Max-Forwards", "70")], [("Subject", "é,;<"), ("Allow", "INVITE, BYE")]]))
    lines = [draw(header_lines(name, value)) for name, value in draw(st.permutations(fields))]
    return "\r\n".join([start, *lines, "", ""]).encode() + body


@st.composite
def mutated(draw: st.DrawFn, source: st.SearchStrategy[bytes]) -> bytes:
    """The source with a few octets or pieces cut out, doubled, swapped or put in."""
    data = draw(source)
    pieces = st.sampled_from(
        [b"\r\n", b" ", b",", b";", b'"', b"<", b">", b":", b"\\", b"=", b"\0", b"\xff", b"@", b"%"]
    )
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data)))
        to = draw(st.integers(at, min(len(data), at + 30)))
        kind = draw(st.sampled_from(["cut", "double", "put", "replace"]))
        if kind == "cut":
            data = data[:at] + data[to:]
        elif kind == "double":
            data = data[:to] + data[at:to] + data[to:]
        else:
            data = data[:at] + draw(st.one_of(pieces, st.binary(max_size=4))) + data[at if kind == "put" else to :]
    return data
