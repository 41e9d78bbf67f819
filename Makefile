# The commands of README.md and CONTRIBUTING.md. Each installs what it needs first, if it is missing.

MAJORS ?= 14 15 16 17 18
CARGO  ?= cargo

.PHONY: plan test lint matrix pairs bench load tenants

# The main job on the example: schema/legacy.sql, taken to what schema/ declares.
plan:
	@scripts/setup.sh build
	$(CARGO) run -- plan --split --name one-to-many

test:
	@scripts/setup.sh test
	$(CARGO) test

lint:
	@scripts/setup.sh build
	$(CARGO) fmt --check
	$(CARGO) clippy --all-targets -- -D warnings

# The tests that start servers, on every supported major. The example declares views with security_invoker, which 14
# has not.
matrix:
	@scripts/setup.sh test
	@scripts/setup.sh servers $(MAJORS)
	$(CARGO) test --no-run
	@set -e; for major in $(MAJORS); do \
	    echo "== PostgreSQL $$major"; \
	    bin=$$(scripts/setup.sh where $$major); \
	    TENANTRY_TEST_MAJOR=$$major TENANTRY_PG_BIN=$$bin LD_LIBRARY_PATH=$${bin%/bin}/lib \
	        $(CARGO) test --no-fail-fast --test apply --test catalogs --test connect --test crash --test live \
	        --test online --test shadow; \
	    example="init_writes"; [ $$major = 14 ] || example="the_legacy_database $$example"; \
	    TENANTRY_TEST_MAJOR=$$major TENANTRY_PG_BIN=$$bin LD_LIBRARY_PATH=$${bin%/bin}/lib \
	        $(CARGO) test --test example -- $$example; \
	done

# Pairs of schemas made from numbers: `make pairs PAIRS=0..200`.
pairs:
	@scripts/setup.sh test
	TENANTRY_PAIRS=$(or $(PAIRS),0..200) $(CARGO) test --test pairs

bench:
	@scripts/setup.sh build
	$(CARGO) bench --bench schema

# What a plan, or a script, costs those who use the database meanwhile: docs/zero-downtime.md. On a disk, where the
# memory disk would be chosen otherwise. `make load ARGS="--messages 1M"`.
load:
	@scripts/setup.sh build
	TENANTRY_SHADOW_DIR=$${TENANTRY_SHADOW_DIR:-/var/tmp} $(CARGO) bench --bench load -- $(ARGS)

# The declared queries as many tenants, on a database filled with them: docs/swiftreplies.md. On a disk, too.
# `make tenants ARGS="--tenants 10k --contacts 1M --messages 10M"`; after another `--`, arguments of `tenantry bench`.
tenants:
	@scripts/setup.sh build
	TENANTRY_SHADOW_DIR=$${TENANTRY_SHADOW_DIR:-/var/tmp} $(CARGO) bench --bench tenants -- $(ARGS)
