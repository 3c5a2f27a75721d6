"""The files that an operator starts from can be read by the programs they are for."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
UNITS = sorted((ROOT / "deploy" / "systemd").glob("*.service"))
COMPOSE = yaml.safe_load((ROOT / "deploy" / "compose.yaml").read_text())


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_systemd_understands_each_unit(unit, tmp_path):
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    # Where the portal is installed there is nothing on this machine: any program will do.
    text = re.sub(r"(?m)^(Exec\w+)=/srv/latchkey/\S+", r"\1=/bin/true", unit.read_text())
    copy = tmp_path / unit.name
    copy.write_text(text)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", copy], capture_output=True, text=True, check=False
    )
    said = [line for line in done.stderr.splitlines() if unit.name in line]
    assert said == []


def test_units_and_containers_start_what_is_there():
    texts = [unit.read_text() for unit in UNITS]
    texts.append((ROOT / "deploy" / "Dockerfile").read_text())
    found = set(re.findall(r"deploy/[\w./-]+", "\n".join(texts)))
    assert "deploy/gunicorn.conf.py" in found
    for name in found:
        assert (ROOT / name).exists(), name


def test_what_is_copied_into_the_image_is_there():
    lines = (ROOT / "deploy" / "Dockerfile").read_text().splitlines()
    copied = [name for line in lines if line.startswith("COPY") for name in line.split()[1:-1]]
    assert "wsgi.py" in copied
    for name in copied:
        assert (ROOT / name).exists(), name
    assert {f"deploy/{each.name}" for each in (ROOT / "deploy").glob("*.py")} <= set(copied)


def test_containers_wait_for_services_and_use_volumes_that_there_are():
    services = COMPOSE["services"]
    assert {"web", "nginx", "worker", "sweep", "database", "redis", "migrate"} <= set(services)
    for name, service in services.items():
        assert set(service.get("depends_on", ())) <= set(services), name
        for volume in service.get("volumes", ()):
            source = volume.partition(":")[0]
            assert source.startswith("./") or source in COMPOSE["volumes"], (name, volume)
    assert "/readyz" in " ".join(services["web"]["healthcheck"]["test"])


def test_the_portal_believes_its_nginx_and_nobody_else():
    services, conf = COMPOSE["services"], (ROOT / "deploy" / "nginx.conf").read_text()
    nginx, web = (services[each]["networks"]["front"]["ipv4_address"] for each in ("nginx", "web"))
    assert services["web"]["environment"]["TRUSTED_PROXIES"] == f"{nginx}/32"
    assert "ports" not in services["web"]
    here, there = re.search(r"s/(server \S+)/(server \S+)/", services["nginx"]["command"]).groups()
    assert conf.count(f"{here} ") == 1
    assert there == f"server {web}:8000"


def test_neither_keys_nor_pictures_of_this_machine_get_into_the_image():
    left_out = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".env", "instance", "portal/static/uploads/*"} <= set(left_out)
