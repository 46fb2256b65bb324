"""Why a message is refused, as FIX 4.4 numbers it: SessionRejectReason (373) and BusinessRejectReason (380)."""

from enum import IntEnum
from typing import NamedTuple


class RejectReason(IntEnum):
    INVALID_TAG_NUMBER = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE = 2
    UNDEFINED_TAG = 3
    TAG_SPECIFIED_WITHOUT_A_VALUE = 4
    VALUE_IS_INCORRECT = 5
    INCORRECT_DATA_FORMAT = 6
    DECRYPTION_PROBLEM = 7
    SIGNATURE_PROBLEM = 8
    COMPID_PROBLEM = 9
    SENDINGTIME_ACCURACY_PROBLEM = 10
    INVALID_MSGTYPE = 11
    XML_VALIDATION_ERROR = 12
    TAG_APPEARS_MORE_THAN_ONCE = 13
    TAG_OUT_OF_REQUIRED_ORDER = 14
    GROUP_FIELDS_OUT_OF_ORDER = 15
    INCORRECT_NUMINGROUP_COUNT = 16
    NON_DATA_VALUE_INCLUDES_SOH = 17
    OTHER = 99


class BusinessReason(IntEnum):
    OTHER = 0
    UNKNOWN_ID = 1
    UNKNOWN_SECURITY = 2
    UNSUPPORTED_MESSAGE_TYPE = 3
    APPLICATION_NOT_AVAILABLE = 4
    CONDITIONALLY_REQUIRED_FIELD_MISSING = 5
    NOT_AUTHORIZED = 6
    DELIVERTO_FIRM_NOT_AVAILABLE = 7


_AS_FIX_WRITES = {
    "COMPID": "CompID",
    "SENDINGTIME": "SendingTime",
    "MSGTYPE": "MsgType",
    "NUMINGROUP": "NumInGroup",
    "SOH": "SOH",
    "XML": "XML",
}


class Problem(NamedTuple):
    """What is wrong with a message, and in which field if it is one."""

    reason: RejectReason
    tag: int | None = None

    @property
    def text(self) -> str:
        words = [_AS_FIX_WRITES.get(word, word.lower()) for word in self.reason.name.split("_")]
        return " ".join([words[0][0].upper() + words[0][1:], *words[1:]])
