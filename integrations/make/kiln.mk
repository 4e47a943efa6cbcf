# Targets for GNU make: `include kiln.mk`. docs/ci.md says how to use them.
#
#   make render   all environments into the rendered tree
#   make check    the rendered tree is up to date, all objects are valid
#   make diff     what differs from KILN_SINCE

KILN ?= kiln
# Flags of every command, as `--strict`.
KILN_FLAGS ?=
# The revision to compare with.
KILN_SINCE ?= origin/main

.PHONY: render check diff

render:
	$(KILN) $(KILN_FLAGS) render

check:
	$(KILN) $(KILN_FLAGS) render --check
	$(KILN) $(KILN_FLAGS) validate

diff:
	$(KILN) $(KILN_FLAGS) diff $(KILN_SINCE)
