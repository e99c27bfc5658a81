"""Offer and answer without the application: RFC 3264 section 8 for a session that stays as it is."""

_OPPOSITE = {b"sendonly": b"recvonly", b"recvonly": b"sendonly", b"inactive": b"inactive", b"sendrecv": b"sendrecv"}


def answer_to(offer: bytes, local: bytes) -> bytes:
    """Return the answer that keeps `local`, our last session description, with the direction that `offer` asks for.

    A hold (sendonly) is answered recvonly, a resume sendrecv, and so on (RFC 3264 section 6.1, 8.4). Streams beyond
    those of `local` are refused with port 0 (section 6); the version in o= is counted up when anything differs
    (section 8). Without an offer, `local` itself is the new offer. Pure; never raises.
    """
    if not offer or not local:
        return local
    offered = _streams(offer)
    session, *streams = _split(local)
    lines = list(session)
    for number, (media, direction) in enumerate(offered):
        if number < len(streams) and media.split(b" ", 2)[1:2] != [b"0"]:
            lines += _directed(streams[number], _OPPOSITE[direction])
        else:
            lines.append(_refused(media))
    answer = b"\r\n".join(lines) + b"\r\n"
    return answer if answer == local else _counted_up(answer)


def _lines(description: bytes) -> list[bytes]:
    return [line for line in description.replace(b"\r\n", b"\n").split(b"\n") if line]


def _split(description: bytes) -> list[list[bytes]]:
    """Return the lines of the session part, then those of each stream."""
    parts: list[list[bytes]] = [[]]
    for line in _lines(description):
        if line.startswith(b"m="):
            parts.append([])
        parts[-1].append(line)
    return parts


def _direction(lines: list[bytes], otherwise: bytes) -> bytes:
    for line in lines:
        if line.startswith(b"a=") and line[2:] in _OPPOSITE:
            return line[2:]
    return otherwise


def _streams(description: bytes) -> list[tuple[bytes, bytes]]:
    """Return the m= line and the direction of each stream; an address of 0.0.0.0 holds as well (RFC 3264 8.4)."""
    session, *streams = _split(description)
    whole = _direction(session, b"sendrecv")
    found = []
    for stream in streams:
        direction = _direction(stream, whole)
        connection = [line for line in (stream + session) if line.startswith(b"c=")]
        if connection and connection[0].rstrip().endswith(b"0.0.0.0") and direction == b"sendrecv":
            direction = b"sendonly"
        found.append((stream[0], direction))
    return found


def _directed(stream: list[bytes], direction: bytes) -> list[bytes]:
    """Return a stream of ours with this direction; sendrecv is the default and needs no line."""
    kept = [line for line in stream if not (line.startswith(b"a=") and line[2:] in _OPPOSITE)]
    return kept if direction == b"sendrecv" else [*kept, b"a=" + direction]


def _refused(media: bytes) -> bytes:
    kind, _, rest = media.partition(b" ")
    return kind + b" 0 " + rest.partition(b" ")[2]


def _counted_up(description: bytes) -> bytes:
    """Return the description with the version of its o= line one higher."""
    lines = description.split(b"\r\n")
    for number, line in enumerate(lines):
        parts = line.split(b" ")
        if line.startswith(b"o=") and len(parts) == 6 and parts[2].isdigit():
            parts[2] = str(int(parts[2]) + 1).encode()
            lines[number] = b" ".join(parts)
            break
    return b"\r\n".join(lines)
