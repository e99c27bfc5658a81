"""The SIP transaction machines of RFC 3261 section 17 and RFC 6026, one RFC figure in one file."""
