import pytest

from dum.message import HeaderError, Parameters


def test_a_mapping_without_regard_to_case_that_keeps_order() -> None:
    parameters = Parameters.parse(";Tag=abc;lr;Q = 0.5")
    assert parameters["tag"] == "abc"
    assert parameters.get("TAG") == "abc"
    assert parameters.get("lr", "absent") is None
    assert parameters.get("none", "absent") == "absent"
    assert "LR" in parameters
    assert 7 not in parameters
    assert list(parameters) == ["Tag", "lr", "Q"]
    assert len(parameters) == 3
    assert str(parameters) == ";Tag=abc;lr;Q=0.5"
    with pytest.raises(KeyError):
        parameters["none"]


def test_quoted_values_are_handed_out_unquoted_and_encoded_as_they_came() -> None:
    parameters = Parameters.parse(r';a="x;\"y\"";b=1')
    assert parameters["a"] == 'x;"y"'
    assert str(parameters) == r';a="x;\"y\"";b=1'


@pytest.mark.parametrize("text", [";", ";;", ";a;;b", ";a=1,", ';a="x', ";=1", "a", ";a b", ";a=b<c", ";a=>"])
def test_broken(text: str) -> None:
    with pytest.raises(HeaderError):
        Parameters.parse(text)


def test_changes_make_copies() -> None:
    parameters = Parameters.parse(";a=1;b")
    assert str(parameters.replaced("A", "2")) == ";a=2;b"
    assert str(parameters.replaced("c", "x y")) == ';a=1;b;c="x y"'
    assert str(parameters.replaced("received", "[::1]")) == ";a=1;b;received=[::1]"
    assert str(parameters.without("B")) == ";a=1"
    assert str(parameters) == ";a=1;b"
    with pytest.raises(ValueError, match="not a token"):
        parameters.replaced("a b", "1")


def test_equality_forgets_order_and_quotes() -> None:
    assert Parameters.parse(';a=1;B="2"') == Parameters.parse(";b=2;A=1")
    assert hash(Parameters.parse(";a;b")) == hash(Parameters.parse(";b;a"))
    assert Parameters.parse(";a=1") != Parameters.parse(";a=2")


def test_repeats_are_found() -> None:
    assert Parameters.parse(";a=1;b;A=2").repeated() == "A"
    assert Parameters.parse(";a=1;b").repeated() == ""
