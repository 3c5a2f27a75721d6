"""What can come of handing a message over, apart from acceptance."""

UNREACHABLE = "unreachable"  # no connection, or none in time
CERTIFICATE = "certificate"  # the server is not who it should be
SIGN_IN = "sign-in"  # the server does not let us in
REFUSED = "refused"  # the server says no
LATER = "later"  # the server says: not now
DROPPED = "dropped"  # the connection ended, or nothing came, in the middle
BROKEN = "broken"  # the message could not be written
IN_DOUBT = "in-doubt"  # it may have left, and is not sent twice
REPLY_LONGEST = 20


class NotAccepted(Exception):
    """The transport did not take the message.

    `why` is one of the words above; `reply` the server's codes, never its words, which may repeat
    an address.  `walked`: the part of the way that needs no recipient was walked, so that a message
    to nobody would have come as far.  `fault`: something is wrong with the transport, not with
    this message.  `for_good`: asking again soon will not help.
    """

    def __init__(
        self,
        why: str,
        reply: str = "",
        *,
        walked: bool = False,
        fault: bool = False,
        for_good: bool = False,
    ) -> None:
        super().__init__(f"{why} {reply}".strip())
        self.why, self.reply = why, reply[:REPLY_LONGEST]
        self.walked, self.fault, self.for_good = walked, fault, for_good
