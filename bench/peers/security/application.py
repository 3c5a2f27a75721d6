"""A portal on Flask-Security-Too, as its quick start advises: sign-in, recovery, profile, JSON.

Recovery is by link; the library sends a code for signing in alone, which lets nobody choose a new
password.  Everything is left as shipped, but that it asks no name server about an address (there is
none here, and it would be slower); OUR_TERMS=1 takes bcrypt of cost 12 for its hash and answers
known and unknown addresses with the same words.
"""

import os

from flask import Flask, jsonify, render_template
from flask_mail import Mail
from flask_security import (
    Security,
    SQLAlchemyUserDatastore,
    auth_required,
    current_user,
)
from flask_security.models import fsqla_v3 as fsqla
from flask_sqlalchemy import SQLAlchemy
from flask_wtf import FlaskForm
from wtforms import StringField, SubmitField
from wtforms.validators import InputRequired, Length

OUR_TERMS = {
    "SECURITY_PASSWORD_HASH": "bcrypt",
    "SECURITY_PASSWORD_HASH_PASSLIB_OPTIONS": {"bcrypt__rounds": 12},
    "SECURITY_RETURN_GENERIC_RESPONSES": True,
}

app = Flask(__name__)
app.config.update(
    SECRET_KEY=os.environ["SECRET_KEY"],
    SECURITY_PASSWORD_SALT=os.environ["SECRET_KEY"],
    SQLALCHEMY_DATABASE_URI=os.environ["DATABASE_URL"],
    SECURITY_RECOVERABLE=True,
    SECURITY_EMAIL_VALIDATOR_ARGS={"check_deliverability": False},
    SECURITY_POST_LOGIN_VIEW="/profile",
    MAIL_SERVER="127.0.0.1",
    MAIL_PORT=int(os.environ["SMTP_PORT"]),
    SECURITY_EMAIL_SENDER="portal@latchkey.example",
)
if os.environ.get("OUR_TERMS"):
    app.config.update(OUR_TERMS)

db = SQLAlchemy(app)
fsqla.FsModels.set_db_info(db)


class Role(db.Model, fsqla.FsRoleMixin):
    """As the library wants it."""


class User(db.Model, fsqla.FsUserMixin):
    """Its own columns and a name."""

    full_name = db.Column(db.String(200))


class NameForm(FlaskForm):
    """What the profile page lets people change."""

    full_name = StringField("Full name", validators=[InputRequired(), Length(max=200)])
    submit = SubmitField("Save")


Mail(app)
security = Security(app, SQLAlchemyUserDatastore(db, User, Role))


@app.route("/profile", methods=["GET", "POST"])
@auth_required("session")
def profile():
    form = NameForm(obj=current_user)
    if form.validate_on_submit():
        current_user.full_name = form.full_name.data
        db.session.commit()
    return render_template("profile.html", form=form)


@app.get("/me.json")
@auth_required("session")
def me():
    return jsonify(id=current_user.id, email=current_user.email, full_name=current_user.full_name)
