"""Handing a message over to whoever carries it on: a mail server, an API, an SMS gateway."""

from portal.delivery.transports.routes import ask, init_app, offers, rest, send

__all__ = ["ask", "init_app", "offers", "rest", "send"]
