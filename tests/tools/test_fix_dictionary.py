"""The compact dictionary against the XML that it is made from."""

from pathlib import Path

from gateway.fix import dictionary
from tests.conftest import ROOT
from tools import fix_dictionary

SMALL = """
<fix major="4" minor="4"><header><field name="A" required="Y"/></header><trailer/>
<messages>{messages}</messages>
<components>
  <component name="Part"><field name="B" required="Y"/><component name="Inner" required="N"/></component>
  <component name="Inner"><group name="N" required="N"><field name="C" required="Y"/></group></component>
</components>
<fields><field number="1" name="A" type="CHAR"><value enum="x"/></field><field number="2" name="B" type="QTY"/>
<field number="3" name="N" type="NUMINGROUP"/><field number="4" name="C" type="STRING"/>
<field number="35" name="MsgType" type="STRING"/></fields></fix>
"""


def test_a_small_dictionary(tmp_path: Path) -> None:
    message = '<message msgtype="{}"><component name="Part" required="{}"/></message>'
    kinds = fix_dictionary.MESSAGE_TYPES.split()
    text = SMALL.format(messages="".join(message.format(kind, "YN"[kind == "D"]) for kind in kinds))
    (tmp_path / "small.xml").write_text(text)
    assert fix_dictionary.main([str(tmp_path / "small.xml"), str(tmp_path / "small.json")]) == 0
    made = dictionary.read((tmp_path / "small.json").read_text())
    entry = dictionary.Members.of([(4, True, None)])
    assert made.messages[b"8"] == dictionary.Members.of([(2, True, None), (3, False, entry)])
    assert made.messages[b"D"] == dictionary.Members.of([(2, False, None), (3, False, entry)])
    assert made.fields[1].values == frozenset((b"x",))


def test_ours_is_up_to_date(shared: Path, tmp_path: Path) -> None:
    fix_dictionary.main([str(shared / "fix" / "FIX44.xml"), str(tmp_path / "fix44.json")])
    assert (tmp_path / "fix44.json").read_text() == (ROOT / "gateway/fix/fix44.json").read_text()
