"""Makes `.venv`: finds or builds a free-threaded CPython and installs the project and its tools into it.

Runs on the machine's own python3 (3.11 or later) and the standard library alone: `python3 -m bootstrap`.
"""
