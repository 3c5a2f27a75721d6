"""What the slow crafts cost, beside the bare minimum of the same work in the same run.

python -m bench.crafts
"""

import statistics
import time
from collections.abc import Callable
from io import BytesIO

import bcrypt
from PIL import Image

from portal import create_app
from portal.accounts import hashing, words
from portal.profile import pictures

ROUNDS = 7
SETTINGS = {
    "SECRET_KEY": "a bench's own key, 0123456789abcdef",
    "PASSWORD_PEPPER": "a bench's own pepper, fedcba9876543210",
    "EMAIL_BACKEND": "mailbox",
    "DATABASE_URL": "sqlite://",
}
OWN = words.tokens("Sana Iqbal", "sana.iqbal", "Latchkey")


def median(work: Callable[[], object]) -> float:
    """Milliseconds of one core, in the middle of some rounds; the first is left out."""
    spent = []
    for _round in range(ROUNDS + 1):
        start = time.process_time()
        work()
        spent.append((time.process_time() - start) * 1000)
    return statistics.median(spent[1:])


def photo(kind: str) -> bytes:
    """12 megapixels of soft noise, as a camera makes them."""
    noise = Image.effect_noise((1000, 750), 60).resize((4000, 3000), Image.Resampling.BICUBIC)
    out = BytesIO()
    Image.merge("RGB", [noise, noise.transpose(0), noise.transpose(1)]).save(out, kind, quality=82)
    return out.getvalue()


def bare(data: bytes) -> None:
    """The least that anybody would do: open, resize, save."""
    small = Image.open(BytesIO(data)).convert("RGB").resize((512, 512), Image.Resampling.LANCZOS)
    small.save(BytesIO(), "WEBP")


def show(what: str, ours: float, theirs: float, beside: str) -> None:
    print(f"{what:32} {ours:8.1f} ms   {theirs:8.1f} ms {beside:28} {ours / theirs:6.2f} x")  # noqa: T201


def main() -> None:
    app = create_app(SETTINGS | {"PICTURE_MAX_BYTES": "50000000"})
    with app.app_context():
        for kind in "JPEG", "PNG", "WEBP":
            data = photo(kind)
            ours, theirs = median(lambda: pictures.make(data, "")), median(lambda: bare(data))  # noqa: B023
            show(f"picture, {kind} of 12 Mpx", ours, theirs, "open, resize, save")
        salt = bcrypt.gensalt(12)
        ours = median(lambda: hashing.make("copper lantern tuesday"))
        show("password hash", ours, median(lambda: bcrypt.hashpw(b"x" * 44, salt)), "bare bcrypt")
        for name, password in ("passphrase", "copper lantern tuesday"), ("hostile", "s4n" * 42):
            judged = median(lambda: (words.common(password), words.personal(password, OWN)))  # noqa: B023
            show(f"judging a {name}", judged, ours, "our password hash")


if __name__ == "__main__":
    main()
