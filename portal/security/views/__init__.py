"""Pages on which people guard their account: one file a subject."""

from portal.security.views import (
    account,
    activity,
    devices,
    leaving,
    password,
    second_step,
    two_step,
)

doors = (account.bp, activity.bp, devices.bp, leaving.bp, password.bp, second_step.bp, two_step.bp)
