"""Dialogs: RFC 3261 section 12, one record and one function for each subsection."""
