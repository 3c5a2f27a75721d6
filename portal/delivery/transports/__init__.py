"""Handing a message over to whoever carries it on: a mail server, an API, an SMS gateway."""

from portal.delivery.transports.routes import ask, offers, rest, send
from portal.delivery.transports.sms import understood

__all__ = ["ask", "offers", "rest", "send", "understood"]
