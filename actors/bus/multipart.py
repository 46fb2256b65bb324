"""Messages of several frames, to a socket and from it, at once or not at all."""

import zmq

# As plain numbers, and frame by frame: pyzmq's own multipart calls put its flags together in Python for each frame,
# which was a tenth of what the engine did.
_AT_ONCE = int(zmq.NOBLOCK)
_WITH_MORE = int(zmq.NOBLOCK | zmq.SNDMORE)


def drain(socket: zmq.Socket[bytes], messages_limit: int) -> list[list[bytes]]:
    """The messages that are there, each a list of frames."""
    messages: list[list[bytes]] = []
    receive = socket.recv
    try:
        while len(messages) < messages_limit:
            frame = receive(_AT_ONCE, copy=False)
            frames = [frame.bytes]
            while frame.more:
                frame = receive(_AT_ONCE, copy=False)
                frames.append(frame.bytes)
            messages.append(frames)
    except zmq.Again:
        pass
    return messages


def send(socket: zmq.Socket[bytes], frames: list[bytes]) -> bool:
    """One message; False where it is not taken: nobody is there, or the queue is full."""
    send = socket.send
    try:
        for frame in frames[:-1]:
            send(frame, _WITH_MORE)
        send(frames[-1], _AT_ONCE)
    except zmq.Again:
        return False
    return True
