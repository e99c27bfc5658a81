"""Holds every run of the tests to the interpreter it is meant for.

On a free-threaded build the GIL has to be off at the start and still off at the end, when everything has been imported:
one extension module that does not declare itself safe switches it on again, and the races would then prove nothing.
`make test` sets SIPDUM_EXPECT_FREE_THREADED=1 unless a build with the GIL was chosen with $PYTHON.
"""

import os
import platform
import sys
import sysconfig

import pytest

FREE_THREADED_BUILD = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def gil_enabled() -> bool:
    """Says whether the GIL is on at this moment; Pythons that cannot tell have one."""
    return bool(getattr(sys, "_is_gil_enabled", lambda: True)())


def complaint() -> str | None:
    """Why this run is not the one it is meant to be; None if all is well."""
    if os.environ.get("SIPDUM_EXPECT_FREE_THREADED") == "1" and not FREE_THREADED_BUILD:
        return f"this run is meant to be free-threaded, and {sys.executable} is a build with the GIL"
    if FREE_THREADED_BUILD and gil_enabled():
        return (
            "the GIL is on in a free-threaded build: PYTHON_GIL or -X gil=1 asked for it, or an extension module that "
            "does not declare itself free of it was imported (python -W error names the module)"
        )
    return None


def pytest_report_header() -> str:
    build = "free-threading build" if FREE_THREADED_BUILD else "build with the GIL"
    return f"interpreter: CPython {platform.python_version()}, {build}, GIL {'on' if gil_enabled() else 'off'}"


def pytest_sessionstart(session: pytest.Session) -> None:
    found = complaint()
    if found:
        pytest.exit(found, returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    if complaint():
        session.exitstatus = pytest.ExitCode.INTERNAL_ERROR


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    found = complaint()
    if found:
        terminalreporter.section("not free-threaded", red=True, bold=True)
        terminalreporter.line(found)
