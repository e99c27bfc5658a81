"""Usages of a dialog: what the peers are doing in it."""
