"""A concurrent SIP Dialog Usage Manager: answers and places SIP calls on all cores of a free-threaded Python."""

from dum.call import Call
from dum.errors import Refused, Terminated
from dum.events import AnswerWanted, Ended, Established, Event, IncomingCall, Offered, Progress
from dum.manager import DialogUsageManager
from dum.profile import Profile
from dum.timers import Timing

__all__ = [
    "AnswerWanted",
    "Call",
    "DialogUsageManager",
    "Ended",
    "Established",
    "Event",
    "IncomingCall",
    "Offered",
    "Profile",
    "Progress",
    "Refused",
    "Terminated",
    "Timing",
]
