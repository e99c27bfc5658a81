"""SIP messages: read, looked into, answered and made.

Pure: reads no clock, draws no random number, opens nothing. Bad input from the wire is a value (``Malformed``); bad
input from the caller is a ValueError; a broken optional header read through a typed property is a HeaderError.
"""

from dum.message.errors import HeaderError
from dum.message.limits import DEFAULT, Limits
from dum.message.malformed import Malformed
from dum.message.message import Message
from dum.message.name_address import NameAddress, split_name_address
from dum.message.parameters import Parameters
from dum.message.parse import parse, peek_call_id
from dum.message.reason import reason_phrase
from dum.message.request import Request
from dum.message.response import Response
from dum.message.uri import Uri
from dum.message.via import MAGIC_COOKIE, Via

__all__ = [
    "DEFAULT",
    "MAGIC_COOKIE",
    "HeaderError",
    "Limits",
    "Malformed",
    "Message",
    "NameAddress",
    "Parameters",
    "Request",
    "Response",
    "Uri",
    "Via",
    "parse",
    "peek_call_id",
    "reason_phrase",
    "split_name_address",
]
