"""What README.md says is so: its programs run as they stand, its commands exist, its links lead somewhere."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dum.cli import parser
from tests.architecture.tree import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
PATIENCE = 90.0
LINES = 15


def blocks(language: str) -> list[str]:
    """The code blocks of README.md that are marked with a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def commands() -> list[list[str]]:
    """The lines of the shell blocks, split into words."""
    return [shlex.split(line, comments=True) for block in blocks("sh") for line in block.splitlines()]


@contextmanager
def python(program: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run a program from the root for the length of a with statement."""
    with subprocess.Popen(
        [sys.executable, "-c", f"import runpy; runpy.run_path({str(program)!r}, run_name='__main__')", *arguments],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_the_two_programs_call_each_other(tmp_path: Path) -> None:
    server, caller = (tmp_path / "uas.py", tmp_path / "uac.py")
    for file, block in zip((server, caller), blocks("python"), strict=True):
        assert len(block.splitlines()) <= LINES
        file.write_text(block)
    with python(server, "udp:127.0.0.1:0") as answering:
        assert answering.stdout is not None
        ready = re.match(r"listening on udp:(127\.0\.0\.1:\d+), Enter ends it", answering.stdout.readline())
        assert ready
        with python(caller, f"sip:bob@{ready[1]}") as calling:
            written, _ = calling.communicate(timeout=PATIENCE)
            assert calling.returncode == 0
        assert "established, they say: v=0" in written
        assert "m=audio 9 RTP/AVP 0" in written
        assert written.endswith("ended with 200\n")
        answering.communicate("\n", timeout=PATIENCE)
        assert answering.returncode == 0


@pytest.mark.parametrize("words", [words for words in commands() if words[0].endswith("dum")], ids=" ".join)
def test_commands_of_dum_can_be_read(words: list[str]) -> None:
    assert words[0] == ".venv/bin/dum"
    assert callable(parser().parse_args(words[1:]).run)


def test_every_target_of_make_exists() -> None:
    named = set(re.findall(r"\bmake ([a-z]+)\b", " ".join(blocks("sh")) + " ".join(re.findall(r"`[^`]*`", README))))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert {"demo", "test"} <= named <= targets


def test_the_table_is_what_the_demo_shows() -> None:
    """The first screen promises lines: the demo has to write each of them."""
    (example,) = blocks("text")
    assert "every call completed" in example
    done = subprocess.run(
        [sys.executable, "-m", "dum.cli", "demo", "--calls", "3", "--rate", "100", "--hold", "0"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr

    def first_column(text: str) -> list[str]:
        rows = [line.strip() for line in text.splitlines() if line.strip()]
        (rule,) = (number for number, row in enumerate(rows) if set(row) == {"─"})
        return [re.split(r"\s{2,}", row)[0] for row in rows[rule + 1 :]]

    assert "calls completed" in first_column(example)
    assert first_column(done.stdout) == first_column(example)


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    assert links
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []
