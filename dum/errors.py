"""The mistakes that an application is told of: raised at the call, saying what to do."""


class Terminated(Exception):
    """The call has ended: the handle has nothing left to act on."""


class Refused(Exception):
    """The state of the call does not allow the command; the message says which state that is."""
