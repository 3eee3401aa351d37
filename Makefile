# Targets for people; each is one script or one manage.py command.
ROOT := $(shell dirname "$(strip $(MAKEFILE_LIST))")
PY := .venv/bin/python
.DEFAULT_GOAL := help
.PHONY: help run test lint types ci bench bench-recommend bench-training bench-vision bench-vectors bench-experiments bench-monitoring bench-metrics measure measure-vision \
  measure-sentiment measure-entities measure-summaries measure-price measure-drift measure-estimates measure-alarms \
  kill-test lock openapi screenshots clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' "$(strip $(MAKEFILE_LIST))" | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 26

run:  ## install, start the database, make the demo shop, train, and serve on http://127.0.0.1:8000 (PORT=, DEMO_PASSWORD=)
	@cd "$(ROOT)" && scripts/setup.sh && exec $(PY) manage.py run

test:  ## install what is missing and run the tests, on up to four cores at once (ARGS= for pytest)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) -m pytest -n logical --maxprocesses 4 --dist loadfile $(ARGS)

lint:  ## ruff, and the doors between the rooms
	@cd "$(ROOT)" && scripts/setup.sh --dev && .venv/bin/ruff check . && .venv/bin/ruff format --check . && .venv/bin/lint-imports

types:  ## mypy, strict in the pure modules
	@cd "$(ROOT)" && scripts/setup.sh --dev && .venv/bin/mypy .

ci:  ## what the integration server runs
	@cd "$(ROOT)" && bash .ci/run

bench:  ## speed against the tutorial's services (YARDSTICK= their folder)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/serving.py $(ARGS)

bench-recommend:  ## recommendations against the tutorial's services, on the database of `make measure`
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/recommending.py $(ARGS)

bench-training:  ## time and memory to train the recommender on 0.1, 1 and 10 million made ratings
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/training.py $(ARGS)

bench-vision:  ## what is on a picture, against the tutorial's Keras service; memory and start of a web worker
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/pictures.py $(ARGS)

bench-vectors:  ## search among 100,000 pictures by their vectors, with a filter that matches 1 % and without
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/vectors.py $(ARGS)

bench-experiments:  ## results of an A/B test with a million exposures and three million outcomes, and assignment
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/experiments.py $(ARGS)

bench-metrics:  ## what counting for /metrics costs a request
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/counting.py $(ARGS)

bench-monitoring:  ## the monitoring page, over ten million predictions and over a hundred thousand (ARGS=--large …)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/dashboard.py $(ARGS)

measure:  ## import, train and score real data (SHOP_DATA= its folder)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/real_data.py

measure-vision:  ## categories and search by image on photographs of clothes, five folds (SHOP_DATA= its folder)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/clothing.py $(ARGS)

measure-sentiment:  ## sentiment: quality here and elsewhere, hard sentences, time (ARGS=--algorithms …)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/sentiment.py $(ARGS)

measure-entities:  ## entities: teach MiniLM on WNUT17 and score it, three seeds
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/entities.py $(ARGS)

measure-summaries:  ## summaries against lead, random and LexRank on FewSum; then summaries of the most reviewed products
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/summaries.py $(ARGS) && $(PY) benchmarks/review_summaries.py

measure-price:  ## prices of homes: five splits, two algorithms against ridge, and how wide the intervals are
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/homes.py $(ARGS)

measure-drift:  ## drift: false alarms, and from how many rows on known shifts are found (ARGS=--pairs …)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/drift.py $(ARGS)

measure-estimates:  ## quality estimated without labels against what the labels say, on real reviews and homes
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/estimated_quality.py $(ARGS)

measure-alarms:  ## a slow and a wrong version under load: time to the alarm, to the rollback, failed requests
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/alarms.py $(ARGS)

kill-test:  ## kill the web process under load KILLS times and look for lost answers (default 200)
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) benchmarks/kill.py --kills $(or $(KILLS),200)

lock:  ## resolve requirements*.txt again into the lock files
	@cd "$(ROOT)" && scripts/lock.sh

openapi:  ## write openapi.yaml anew
	@cd "$(ROOT)" && $(PY) manage.py spectacular --file openapi.yaml --validate

screenshots:  ## take the pictures of the docs anew, in a headless Chromium
	@cd "$(ROOT)" && scripts/setup.sh --dev && $(PY) scripts/screenshots.py

clean:  ## remove the virtual environment; the data in .data stays
	@cd "$(ROOT)" && rm -rf .venv
