"""Writes `.env` with fresh secrets where there is none; never touches one that is there.

Needs nothing but Python's own library, so that it runs before anything is installed.
"""

import os
import secrets
import sys
from pathlib import Path

FILE = Path(__file__).parent.parent / ".env"
SECRET_BYTES = 48
TEXT = """\
# Secrets of this installation: keep them, and keep them to yourself. Without PASSWORD_PEPPER no
# password fits any more, and without DATA_KEY no code of an authenticator app. The environment
# overrides this file; .env.example lists every setting.
SECRET_KEY={key}
PASSWORD_PEPPER={pepper}
DATA_KEY={data}

# Messages are caught and shown at /dev/mailbox. For real mail: smtp, and the EMAIL_ settings.
EMAIL_BACKEND=mailbox
"""


def write(file: Path) -> bool:
    """Readable by the owner only.  -> whether it was written, False when there was one already."""
    text = TEXT.format(key=_secret(), pepper=_secret(), data=_secret())
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return False
    with os.fdopen(handle, "w", encoding="utf-8") as opened:
        opened.write(text)
    return True


def _secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


if __name__ == "__main__":
    wrote = write(FILE)
    if "--quiet" not in sys.argv or wrote:
        print(f"{FILE.name}: {'written, with fresh secrets' if wrote else 'there already, kept'}.")
