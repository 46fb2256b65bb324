"""FIX 4.4 sessions without sockets: bytes and time in, events and bytes out. Sources: FIX 4.4 volumes 1 and 2.

A `Session` (session.py) is one side of one FIX session, made from its `SessionSettings` (settings.py) and a `Store`
(store.py). It reads no clock and no socket; whoever drives it (`connection.py` does) goes round like this:

    session = Session(settings, store)             # next sequence numbers come from the store
    session.open(now_ns)                           # the transport is up; an initiator's Logon is queued
    events = session.receive_data(data, now_ns)    # or session.tick(now_ns), when session.next_deadline_ns has come
    ...act on the events, call session.send(...)...
    with store.transaction():                      # one fsync for all of it
        ...write application state to store.db...  # joins: both are kept, or neither
        session.save()
    transport.write(session.data_to_send())        # gives only what was saved
    if session.must_close: transport.close()
    session.closed(now_ns)                         # the transport is gone, for whatever reason

`events.py` has what a session tells: `LoggedOn`, `Received` (an application message, each once and in order, as far as
`save` and the application's own state are one transaction), `Refused` (the peer rejected a message of ours), `Warned`,
`LoggedOut`. The application answers with

    session.send(b"8", [(37, b"1"), (17, b"2"), ...], now_ns)   # body fields in wire order; gives the MsgSeqNum
    session.reject(received.message, BusinessReason.UNSUPPORTED_MESSAGE_TYPE, "...", now_ns)   # 35=j
    session.logout("reason", now_ns)

`send` works while the session is down, too: the message is numbered and kept, and the peer asks for it after the next
Logon. What must not arrive late is left out by `SessionSettings.replay`.

A `Message` (codec.py) has `msg_type` (bytes), `fields` (list of (tag, value) in wire order, 35 first, without 8, 9 and
10), `get(tag)` (bytes or None), and `group(count_tag, member_tags)` for repeating groups. Values are bytes as they
came; they passed the dictionary's validation at the level that the settings name (dictionary.py, validation.py).

An error of use raises `SessionMisuse` or `Unencodable`. No byte of a peer raises anything.
"""
