# SPDX-License-Identifier: GPL-2.0
#
# make -f harness/build.mk tree|configured|image|guest: what depends on what, from nothing to the
# source with the series, to its kernel, and to the files of its guest. The variables come from the
# environment.
#
# Dates say what is to be done, where they can. Debian dates a tarball when it is built, git dates a
# file when it is checked out, and a file that is gone has no date: there (FORCE) the content is
# looked at each time, and a file that comes out the same keeps its date. What is edited by hand in
# out/tree/ stays so until a file of this repository changes.

SHELL := /bin/bash
names := BASE ARCH VANILLA DEBUG_NAME SRC TREE BUILD IMAGE INITRD TESTS_DIR BUSYBOX
$(foreach line,$(shell . harness/lib.sh && BUSYBOX=$$(static_busybox 2>/dev/null || :); \
	for name in $(names); do echo $$name=$${!name}; done),$(eval override $(line)))
$(if $(IMAGE),,$(error the variables are not right))
state := $(TREE).d
# The later ones win.
fragments := $(wildcard harness/config/kernel.config harness/config/arch/$(ARCH).config \
	$(DEBUG_NAME:%=harness/config/%.config) harness/config/base/$(BASE).config \
	$(if $(VANILLA),,harness/config/series.config)) $(CONFIG)
# What comes from the pipe becomes the target, unless it is the target.
update = cat >$@.$$$$ && if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

tree: $(state)/changed
configured: $(BUILD)/configured
image: $(IMAGE)
guest: $(IMAGE) $(INITRD)

$(SRC).stamp: FORCE
	harness/tools.sh
	harness/foreign.sh
	harness/fetch.sh

$(state)/inputs: FORCE
	mkdir -p $(@D)
	{ find patches harness/inject Documentation include kernel lib tools -type f; \
		git ls-files; } 2>&1 | sort -u | xargs -d '\n' sha1sum 2>&1 | $(update)

$(state)/applied: $(SRC).stamp $(state)/inputs $(TREE)/Kbuild
	harness/apply.sh
	touch $@
# apply.sh touches it, but not for a test or a document: no kernel is made of those.
$(state)/changed: $(state)/applied
	@:

$(BUILD)/requested.config: $(state)/changed FORCE
	mkdir -p $(@D)
	cat $(fragments) | $(update)
$(BUILD)/configured: $(BUILD)/requested.config $(state)/changed
	harness/configure.sh $(fragments)
	touch $@
$(IMAGE): $(BUILD)/configured
	harness/build.sh
	touch $@

$(BUILD)/guest.sums: $(BUILD)/configured FORCE
	find $(TREE)/$(TESTS_DIR) $(TREE)/$(TESTS_DIR)/../{Makefile,lib.mk,kselftest*} \
		harness/{guest,demo,initramfs.sh,debuggers.sh,bench/install.sh,bench/run} \
		harness/arch/$(ARCH).sh \
		$(BUSYBOX) -type f | sort | xargs sha1sum | $(update)
$(INITRD): $(BUILD)/guest.sums $(state)/changed
	harness/initramfs.sh

$(TREE)/Kbuild FORCE:
.PHONY: tree configured image guest FORCE
.DELETE_ON_ERROR:
.NOTPARALLEL:
