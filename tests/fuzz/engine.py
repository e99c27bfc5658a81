"""A small coverage-guided fuzzer: inputs that reach new branches are kept and mutated further.

Coverage comes from sys.monitoring, whose events are switched off one by one as they are first seen, so that watching
costs next to nothing once the usual paths are known. Everything is decided by the seed, save for when time runs out.
"""

import random
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from types import CodeType

# What the grammars turn on, put in more often than chance would.
PIECES = (
    *(
        b"\r\n",
        b"\r\n\r\n",
        b"\r\n ",
        b" ",
        b"\t",
        b",",
        b";",
        b":",
        b"=",
        b"@",
        b"?",
        b"&",
        b"%",
        b"%41",
        b"%0",
        b"/",
        b"*",
    ),
    *(b'"', b"\\", b'\\"', b"<", b">", b"(", b")", b"[", b"]", b"\0", b"\xff", b"\xc3\xa9", b"-1", b"0", b"4294967296"),
    *(b"SIP/2.0", b"sip:", b"tel:", b";tag=", b";branch=", b";rport", b";received=", b"Via: ", b"v:", b"To: ", b"l: 0"),
    *(b"Content-Length: 5", b"CSeq: 1 ", b"--b", b"\r\n--b--", b"a=rtpmap:96 x/1", b"m=audio 1 RTP/AVP 0", b"\x81\x85"),
)
LONGEST = 4096
SLOWEST = 1.0


class Coverage:
    """Counts places (branches taken, functions entered) of the watched packages not seen before."""

    def __init__(self, packages: Iterable[str]) -> None:
        self._folders = tuple(f"/{package}/" for package in packages)
        self.seen = 0

    def __enter__(self) -> "Coverage":
        monitoring = sys.monitoring
        monitoring.use_tool_id(monitoring.COVERAGE_ID, "fuzz")
        monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.BRANCH, self._branch)
        monitoring.register_callback(monitoring.COVERAGE_ID, monitoring.events.LINE, self._line)
        monitoring.set_events(monitoring.COVERAGE_ID, monitoring.events.BRANCH | monitoring.events.LINE)
        self._edges: set[tuple[CodeType, int, int]] = set()
        return self

    def __exit__(self, *_: object) -> None:
        sys.monitoring.set_events(sys.monitoring.COVERAGE_ID, 0)
        sys.monitoring.free_tool_id(sys.monitoring.COVERAGE_ID)

    def _watched(self, code: CodeType) -> bool:
        return any(folder in code.co_filename for folder in self._folders)

    def _branch(self, code: CodeType, offset: int, destination: int) -> object:
        if not self._watched(code):
            return sys.monitoring.DISABLE
        edge = (code, offset, destination)
        if edge not in self._edges:
            self._edges.add(edge)
            self.seen += 1
        return None

    def _line(self, code: CodeType, line: int) -> object:
        if self._watched(code):
            self.seen += 1
        return sys.monitoring.DISABLE


def mutate(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """A few changes: pieces put in, octets flipped, stretches cut, doubled, moved, or taken from another input."""
    for _ in range(chance.choice((1, 1, 2, 3, 6))):
        at = chance.randint(0, len(data))
        to = min(len(data), at + chance.choice((1, 2, 8, 40)))
        kind = chance.randrange(7)
        if kind == 0:
            data = data[:at] + chance.choice(PIECES) + data[at:]
        elif kind == 1:
            data = data[:at] + chance.choice(PIECES) + data[to:]
        elif kind == 2:
            data = data[:at] + data[to:]
        elif kind == 3:
            data = data[:to] + data[at:to] * chance.choice((1, 1, 2, 50)) + data[to:]
        elif kind == 4:
            start = chance.randint(0, len(other))
            data = data[:at] + other[start : start + chance.choice((8, 40, 400))] + data[to:]
        elif kind == 5 and data:
            at %= len(data)
            data = data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
        else:
            lines = data.split(b"\r\n")
            chance.shuffle(lines)
            data = b"\r\n".join(lines)
    return data[:LONGEST]


class Find(Exception):
    """An input for which the target raised, or took too long."""

    def __init__(self, data: bytes, what: str) -> None:
        super().__init__(what)
        self.data = data


def attempt(target: Callable[[bytes], None], data: bytes) -> None:
    """Run the target once. Raises Find."""
    start = time.thread_time()
    try:
        target(data)
    except Exception as error:
        raise Find(data, "".join(traceback.format_exception(error))) from error
    spent = time.thread_time() - start
    if spent > SLOWEST:
        raise Find(data, f"took {spent:.1f} s of processor time for {len(data)} octets")


def explore(
    target: Callable[[bytes], None], corpus: list[bytes], coverage: Coverage, more: Callable[[int], bool], seed: int
) -> int:
    """Mutate the corpus, which grows by what reaches new places, while ``more(runs)``; the runs. Raises Find."""
    chance = random.Random(seed)
    for data in corpus:
        attempt(target, data)
    runs = 0
    while more(runs):
        # What was found last leads furthest.
        first = len(corpus) - 1 - min(int(chance.expovariate(0.02)), len(corpus) - 1)
        data = mutate(corpus[chance.choice((first, chance.randrange(len(corpus))))], chance.choice(corpus), chance)
        before = coverage.seen
        attempt(target, data)
        if coverage.seen > before:
            corpus.append(data)
        runs += 1
    return runs


def seeds() -> list[bytes]:
    """The messages of tests/conformance, their bodies, and a few small things."""
    folder = Path(__file__).parents[1] / "conformance" / "data"
    wholes = [path.read_bytes()[:LONGEST] for path in sorted(folder.glob("*/*")) if path.suffix != ".tsv"]
    bodies = [body for whole in wholes if (body := whole.partition(b"\r\n\r\n")[2])]
    small = [
        b"sip:a:b@[::1]:5060;lr?x=y",
        b"tel:+1-2;ext=3",
        b"SIP/2.0 200 OK",
        b"--b\r\nX: y\r\n\r\nz\r\n--b--\r\n",
        b"",
    ]
    frames = [
        b"\x81\x85\x01\x02\x03\x04hello",
        b"\x89\x80\x01\x02\x03\x04",
        b"\x02\x81\0\0\0\0a\x80\x81\0\0\0\0b",
        b"\x88\x80\0\0\0\0",
    ]
    return wholes + bodies + small + frames
