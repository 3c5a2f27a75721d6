"""What is written down agrees with what is so."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from portal.core.safety import SECRETS, dangers
from tools import settings_table, write_env

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("file", settings_table.FILES, ids=lambda file: file.name)
def test_the_settings_are_written_down_as_they_are(file):
    wanted = settings_table.FILES[file]()
    assert file.read_text() == wanted, "Run `make settings`."


def test_every_direct_dependency_has_its_reason():
    listed = (ROOT / "docs" / "dependencies.md").read_text()
    pinned = [ROOT / "requirements.in", ROOT / "requirements-dev.in"]
    lines = [line for file in pinned for line in file.read_text().splitlines()]
    names = {re.split(r"[\[<>=~!]", line)[0] for line in lines if line and line[0] not in "-#"}
    reasons = set(re.findall(r"^\| `([a-z0-9-]+)` \| \S", listed, re.MULTILINE))
    assert reasons == names


def test_a_new_installation_gets_secrets_of_its_own(tmp_path):
    first, second = tmp_path / "one", tmp_path / "two"
    assert write_env.write(first)
    assert write_env.write(second)
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    values = [dict(_settings(file)) for file in (first, second)]
    secrets = {each[name] for each in values for name in SECRETS}
    assert len(secrets) == 6
    assert all(len(secret) >= 43 for secret in secrets)


def test_an_installation_keeps_its_secrets(tmp_path):
    file = tmp_path / ".env"
    file.write_text("SECRET_KEY=mine\n")
    assert not write_env.write(file)
    assert file.read_text() == "SECRET_KEY=mine\n"


def test_fresh_secrets_are_no_danger(app, tmp_path):
    write_env.write(tmp_path / ".env")
    values = dict(app.config) | dict(_settings(tmp_path / ".env"))
    names = {danger.name for danger in dangers(values)}
    assert names & set(SECRETS) == set()


def test_secrets_can_be_written_before_anything_is_installed(tmp_path):
    (tmp_path / "tools").mkdir()
    script = tmp_path / "tools" / "write_env.py"
    script.write_text((ROOT / "tools" / "write_env.py").read_text())
    bare = [os.path.realpath(sys.executable), "-I", "-S", str(script)]
    subprocess.run(bare, check=True, capture_output=True)
    assert (tmp_path / ".env").exists()


def _settings(file):
    for line in file.read_text().splitlines():
        name, found, value = line.partition("=")
        if found and not name.startswith("#"):
            yield name, value
