# Two commands matter: `make run` and `make test`. PORT=n changes the port; .env holds the settings.
.PHONY: run test demo bench fuzz lint messages settings shots pins setup setup-tests

FLASK = .venv/bin/flask --app wsgi
DEMO = EMAIL_BACKEND=mailbox DATABASE_URL=sqlite:///$(CURDIR)/instance/demo.db

run: setup
	@$(FLASK) db upgrade
	@exec $(FLASK) serve

test: setup-tests
	@tools/test.sh all

demo: setup
	@$(DEMO) $(FLASK) db upgrade
	@$(DEMO) $(FLASK) demo
	@exec env $(DEMO) $(FLASK) serve

# What things cost, side by side in one run.
bench: setup-tests
	@.venv/bin/python -m bench.crafts
	@.venv/bin/python -m bench.photos --markdown instance/photos.md
	@.venv/bin/python -m bench.paper photos instance/photos.md
	@.venv/bin/python -m bench.enumeration
	@.venv/bin/python -m bench.delivery
	@.venv/bin/python -m bench.api
	@.venv/bin/python -m bench.desk
	@tools/system.sh bench
	@bench/peers/install.sh
	@.venv/bin/python -m bench.side_by_side --markdown instance/side-by-side.md
	@.venv/bin/python -m bench.paper side-by-side instance/side-by-side.md
	@.venv/bin/python -m bench.growth --markdown instance/growth.md
	@.venv/bin/python -m bench.paper growth instance/growth.md
	@.venv/bin/python -m bench.mixed --markdown instance/mixed.md
	@.venv/bin/python -m bench.paper mixed instance/mixed.md
	@.venv/bin/python -m bench.machines --markdown instance/machines.md
	@.venv/bin/python -m bench.paper machines instance/machines.md

# The API against what Schemathesis invents: more than 20,000 requests, about ten minutes.
fuzz: setup-tests
	@.venv/bin/python -m tools.fuzz

lint: setup-tests
	@tools/test.sh lint

# Collects the words that can be translated.
messages: setup-tests
	@mkdir -p portal/translations
	@.venv/bin/pybabel -q extract --project Latchkey --copyright-holder "Latchkey contributors" -F babel.cfg -k _l -k lazy_gettext -o portal/translations/messages.pot portal

# docs/settings.md and .env.example, from config.py.
settings: setup
	@.venv/bin/python -m tools.settings_table

# Pictures of every page and email into shots/, at two widths, light and dark.
shots: setup-tests
	@.venv/bin/python -m tools.shots
	@.venv/bin/python -m tools.mail_shots

# requirements*.txt from requirements*.in; needs uv.
pins:
	@uv pip compile -q --generate-hashes --universal --python-version 3.11 requirements.in -o requirements.txt
	@uv pip compile -q --generate-hashes --universal --python-version 3.11 requirements-dev.in -o requirements-dev.txt
	@uv pip compile -q --generate-hashes --universal --python-version 3.11 bench/peers/requirements.in -o bench/peers/requirements.txt

setup:
	@tools/install.sh requirements.txt
	@.venv/bin/python tools/write_env.py --quiet

setup-tests:
	@tools/install.sh requirements-dev.txt
	@tools/system.sh
