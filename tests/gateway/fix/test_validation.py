"""What the dictionary makes of messages: the reason and the field, or nothing."""

import pytest

from gateway.fix.codec import Message, split
from gateway.fix.dictionary import fix44
from gateway.fix.reasons import Problem, RejectReason
from gateway.fix.validation import Level, check

HEAD = "34=2|49=A|52=20260119-12:00:00.123|56=B|"
ORDER = "11=x|55=EUR/USD|54=1|60=20260119-12:00:00|40=1|"
PARTIES = "453=2|448=a|447=D|452=1|802=1|523=s|803=1|448=b|"


def message(text: str) -> Message:
    fields = split(text.replace("|", "\x01").encode())
    assert fields is not None
    return Message(b"FIX.4.4", fields)


@pytest.mark.parametrize(
    ("text", "reason", "tag"),
    [
        (f"35=D|{HEAD}999=x|{ORDER}", RejectReason.INVALID_TAG_NUMBER, 999),
        (f"35=D|{HEAD}{ORDER}5001=x|", RejectReason.INVALID_TAG_NUMBER, 5001),
        (f"35=D|{HEAD}{ORDER.replace('11=x|', '')}", RejectReason.REQUIRED_TAG_MISSING, 11),
        (f"35=D|{HEAD.replace('56=B|', '')}{ORDER}", RejectReason.REQUIRED_TAG_MISSING, 56),
        (f"35=D|{HEAD}{ORDER}41=x|", RejectReason.TAG_NOT_DEFINED_FOR_THIS_MESSAGE_TYPE, 41),
        (f"35=D|{HEAD}{ORDER}58=|", RejectReason.TAG_SPECIFIED_WITHOUT_A_VALUE, 58),
        (f"35=D|{HEAD}{ORDER}59=x|", RejectReason.VALUE_IS_INCORRECT, 59),
        (f"35=D|{HEAD}{ORDER}18=1 zz|", RejectReason.VALUE_IS_INCORRECT, 18),
        (f"35=D|{HEAD}{ORDER}38=1e5|", RejectReason.INCORRECT_DATA_FORMAT, 38),
        (f"35=D|{HEAD}{ORDER}38=+5|", RejectReason.INCORRECT_DATA_FORMAT, 38),
        (f"35=D|{HEAD}{ORDER}126=20260119|", RejectReason.INCORRECT_DATA_FORMAT, 126),
        (f"35=D|{HEAD}{ORDER}432=20260230|", RejectReason.INCORRECT_DATA_FORMAT, 432),
        (f"35=D|{HEAD}{ORDER}114=maybe|", RejectReason.INCORRECT_DATA_FORMAT, 114),
        (f"35=ZZ|{HEAD}", RejectReason.INVALID_MSGTYPE, None),
        (f"35=D|{HEAD}{ORDER}40=1|", RejectReason.TAG_APPEARS_MORE_THAN_ONCE, 40),
        (f"35=D|{HEAD}49=A|{ORDER}", RejectReason.TAG_APPEARS_MORE_THAN_ONCE, 49),
        (f"35=D|{ORDER}{HEAD}", RejectReason.TAG_OUT_OF_REQUIRED_ORDER, 34),
        (f"35=D|{HEAD}93=1|89=x|{ORDER}", RejectReason.TAG_OUT_OF_REQUIRED_ORDER, 93),
        (f"35=D|{HEAD}{ORDER}453=1|447=D|448=a|", RejectReason.GROUP_FIELDS_OUT_OF_ORDER, 447),
        (f"35=D|{HEAD}{ORDER}453=1|448=a|452=1|447=D|", RejectReason.GROUP_FIELDS_OUT_OF_ORDER, 447),
        (f"35=D|{HEAD}{ORDER}453=1|448=a|447=D|447=D|", RejectReason.TAG_APPEARS_MORE_THAN_ONCE, 447),
        (f"35=D|{HEAD}{ORDER}453=3|{PARTIES[6:]}", RejectReason.INCORRECT_NUMINGROUP_COUNT, 453),
        (f"35=D|{HEAD}{ORDER}453=1|{PARTIES[6:]}", RejectReason.INCORRECT_NUMINGROUP_COUNT, 453),
        (f"35=D|{HEAD}{ORDER}453=1|448=a|802=2|523=s|", RejectReason.INCORRECT_NUMINGROUP_COUNT, 802),
        (f"35=V|{HEAD}262=a|263=1|264=0|267=1|269=0|146=0|", None, None),
        (f"35=D|{HEAD}{ORDER}{PARTIES}58=x|", None, None),
        (f"35=D|{HEAD}{ORDER}386=0|58=x|", None, None),
        (f"35=D|{HEAD}{ORDER}18=1 2|", None, None),
        (f"35=D|{HEAD}{ORDER}38=002000.00|44=-1.5|", None, None),
        (f"35=B|{HEAD}5=1|", None, None),
    ],
)
def test_strict(text: str, reason: RejectReason | None, tag: int | None) -> None:
    expected = None if reason is None else Problem(reason, tag)
    assert check(message(text), fix44(), Level.STRICT) == expected


def test_lenient_takes_what_is_missing_or_unknown_but_no_value_of_another_kind() -> None:
    loose = f"35=W|{HEAD}268=1|269=0|270=1.1|9999=x|55=EUR/USD|40=zz|"
    assert check(message(loose.replace("40=zz|", "40=z|")), fix44(), Level.LENIENT) is None
    assert check(message(loose), fix44(), Level.LENIENT) == Problem(RejectReason.INCORRECT_DATA_FORMAT, 40)
    assert check(message(f"35=0|{HEAD}999=x|"), fix44(), Level.OFF) == Problem(RejectReason.INVALID_TAG_NUMBER, 999)
    assert check(message("35=W|58=|"), fix44(), Level.OFF) is None


def test_a_counterparty_s_own_fields_and_messages() -> None:
    dictionary = fix44().with_custom(
        {5001: "Route STRING A B", 5002: "NoHops NUMINGROUP", 5003: "Hop STRING"},
        {"D": "5001! 5002(5003)", "U1": "11! 5001"},
    )
    assert check(message(f"35=D|{HEAD}{ORDER}5001=A|5002=1|5003=x|"), dictionary, Level.STRICT) is None
    assert check(message(f"35=D|{HEAD}{ORDER}"), dictionary, Level.STRICT) == Problem(
        RejectReason.REQUIRED_TAG_MISSING, 5001
    )
    assert check(message(f"35=U1|{HEAD}11=x|5001=C|"), dictionary, Level.STRICT) == Problem(
        RejectReason.VALUE_IS_INCORRECT, 5001
    )
    assert 5001 not in fix44().fields
