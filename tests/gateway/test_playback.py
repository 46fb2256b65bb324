"""What is played back is of now."""

from gateway.venues.events import VenueDepth, VenueEvent, VenueHeartbeat, VenueQuote
from gateway.venues.playback import moved


def test_each_time_is_moved_and_none_is_made() -> None:
    quote, depth = VenueQuote("A", 1, 2, 3, 4, 10), VenueDepth("A", ((1, 3),), (), 10)
    without: list[VenueEvent] = [VenueQuote("A", 1, 2, 3, 4, 0), VenueDepth("A", (), (), 0)]
    assert [moved(event, 5) for event in (quote, depth)] == [
        VenueQuote("A", 1, 2, 3, 4, 15),
        VenueDepth("A", ((1, 3),), (), 15),
    ]
    assert [moved(event, 5) for event in without] == without
    assert moved(VenueHeartbeat(10, 5_000), 5) == VenueHeartbeat(15)
