"""The packages leave the GIL off, and run where there is one."""

import subprocess
import sys
import sysconfig

import pytest

from tests.architecture.tree import ROOT, modules

IMPORT_ALL = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
print(getattr(sys, "_is_gil_enabled", lambda: True)())
"""


@pytest.mark.skipif(not sysconfig.get_config_var("Py_GIL_DISABLED"), reason="this build has the GIL anyway")
def test_importing_everything_leaves_the_gil_off() -> None:
    names = [name for name in modules() if not name.endswith("__main__")]
    # -W error turns the warning about an extension module that switches the GIL on into an exception naming it.
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", IMPORT_ALL, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "False"
