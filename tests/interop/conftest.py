"""Says at the end of a run which real peers were missing."""

import pytest

from tests.interop.peers import missing_peers


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    missing = missing_peers()
    if missing:
        terminalreporter.section("real peers are missing", yellow=True, bold=True)
        terminalreporter.line(missing)
