"""Writes the file of SIGNING_KEYS_FILE with a fresh key where there is none; never touches another.

Needs what `requirements.txt` installs, and no setting but that one: the portal itself does not
start on a public address before this file is there.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import config
from portal.core import keyring


def write() -> tuple[Path, bool]:
    """-> the file, and whether it was written: False when there was one already."""
    values, _problems = config.read(config.environment())
    file = Path(str(values["SIGNING_KEYS_FILE"]))
    return file, keyring.make(file)


if __name__ == "__main__":
    file, wrote = write()
    print(f"{file.name}: {'written, with a fresh key' if wrote else 'there already, kept'}.")
