"""What colleagues did."""

from flask import Blueprint, Response, redirect, render_template, request, stream_with_context
from flask_login import current_user

from portal.accounts import guards, roles
from portal.accounts.service import exporting
from portal.core import clock
from portal.staff import acted, chosen

bp = Blueprint("desk_log", __name__, url_prefix="/admin")
bp.before_request(guards.of_desk)
bp.before_request(guards.having("log:read"))


@bp.get("/log")
def log():
    wanted, before = chosen.read(request.args), request.args.get("before", type=int)
    return render_template(
        "staff/log.html",
        chosen=wanted,
        leaf=acted.page(wanted, before),
        newest=before is None,
        colleagues=acted.colleagues(),
        kinds=acted.kinds(),
        may_export=roles.may(current_user.person, "log:export"),
    )


@bp.get("/log.csv")
def log_csv():
    """Streamed; what a day is that is none, the page says."""
    wanted = chosen.read(request.args)
    if wanted.problems:
        return redirect(f"/admin/log?{wanted.query()}", 303)
    if stopped := guards.unconfirmed(f"/admin/log?{wanted.query()}"):
        return stopped
    exporting.exported(current_user.person, wanted.told, guards.by_desk("", "", ""))
    answer = Response(stream_with_context(acted.sheet(wanted)), mimetype="text/csv")
    name = f"log-{clock.now():%Y-%m-%d}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer
