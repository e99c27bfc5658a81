"""A concurrent SIP Dialog Usage Manager."""
