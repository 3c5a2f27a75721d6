"""Pages on which people guard their account: one file a subject."""

from portal.security.views import account

doors = (account.bp,)
