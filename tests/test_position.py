"""The string form of positions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc.position import Position

U64 = st.integers(0, 2**64 - 1)
POSITIONS = st.tuples(U64, U64) | st.tuples(U64, U64, U64, st.integers(0, 2**32 - 1))


@given(POSITIONS)
def test_positions_round_trip_as_strings(numbers: tuple[int, ...]) -> None:
    position = Position(*numbers)
    assert Position.parse(str(position)) == position


@given(POSITIONS, st.lists(U64))
def test_texts_match_positions_at_other_offsets(numbers: tuple[int, ...], offsets: list[int]) -> None:
    position = Position(*numbers)
    assert list(position.texts(offsets)) == [str(position._replace(offset=offset)) for offset in offsets]


def test_string_form_is_short_and_does_not_need_quoting() -> None:
    assert str(Position(2**63, 42, 40, 5)) == "v1.8000000000000000.42.40.00000005"
    assert str(Position(15, 0)) == "v1.f.0"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v1",
        "v2.f.0",
        "v1.f",
        "v1.f.0.0",
        "v1.f.0.0.123",
        "v1.g.0",
        "v1.f.-1",
        "v1.f.0.0.cbf43926 ",
        "v1.f.\u0661",
        "v1.f.99999999999999999999",
        "v1.F.0",
        "v1.f.0\n",
        "v1.f.0.0.cbf43926.1",
    ],
)
def test_rejects_any_other_text(text: str) -> None:
    with pytest.raises(ValueError, match="not a stream position"):
        Position.parse(text)
