"""The helpdesk's pages: one file a subject."""

from portal.staff.views import acts, deliveries, log, numbers, people, team

doors = numbers.bp, people.bp, acts.bp, log.bp, deliveries.bp, team.bp
