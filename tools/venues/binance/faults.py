"""What the simulated Binance does wrong, on demand."""

from dataclasses import dataclass

GARBAGE = b'{"stream":"btcusdt@bookTicker","data":{"u":1,"s":'


@dataclass(slots=True)
class Faults:
    """Counts are of the next frames or requests, and fall to 0; the rest holds until it is taken back."""

    silent: bool = False
    """Prices are not sent any more; requests and pings are answered."""
    mute: bool = False
    """Requests are obeyed and not answered."""
    forgotten_subscriptions: int = 0
    """SUBSCRIBE is accepted, and its first stream forgotten."""
    refused_requests: int = 0
    refused_snapshots: int = 0
    """Answered with 429."""
    crossed_snapshots: int = 0
    lost_frames: int = 0
    lost_depth_frames: int = 0
    doubled_frames: int = 0
    garbage_frames: int = 0
    late_frames: int = 0
    """Sent behind the frame that follows them."""

    def take(self, name: str) -> bool:
        """Whether the next one of this kind is due; it is used up then."""
        left: int = getattr(self, name)
        if left > 0:
            setattr(self, name, left - 1)
        return left > 0

    def befall(self, frame: bytes, late: list[bytes], depth: bool) -> list[bytes]:
        """What is sent in the place of a frame; `late` keeps one that was held up, by client."""
        if self.silent or self.take("lost_frames") or (depth and self.take("lost_depth_frames")):
            return []
        if self.take("late_frames"):
            late.append(frame)
            return []
        frames = [GARBAGE, frame] if self.take("garbage_frames") else [frame]
        if self.take("doubled_frames"):
            frames.append(frame)
        frames += late
        late.clear()
        return frames
