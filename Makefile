# SPDX-License-Identifier: GPL-2.0
#
# From a fresh clone to a booted kernel with the cgroup freezer of this repository. make help says what there is; each target is a
# script in harness/, and everything made goes to out/.

# The kernel: the base of the series and its source package, the architecture, kernel debugging, another source tree, no series, more configuration,
# a fault
BASE	?= 6.12
ARCH	?= x86_64
DEBUG	?=
LINUX	?=
VANILLA	?=
CONFIG	?=
INJECT	?=
MIRROR	?=
JOBS	?= $(shell nproc)

# The guest: which test programs, with which arguments and in which world, its limits in seconds, CPUs, memory in MB, KVM=auto|1|0
TESTS	?=
ARGS	?=
WORLD	?=
TIMEOUT	?=
LIMIT	?=
SMP	?= 2
MEM	?= 2048
KVM	?= auto
APPEND	?=
QEMU_ARGS ?=
V	?=

export BASE ARCH DEBUG LINUX VANILLA CONFIG INJECT MIRROR JOBS TESTS ARGS WORLD TIMEOUT LIMIT SMP MEM KVM APPEND QEMU_ARGS AUTHOR SIGNOFF V

.PHONY: help run hibernate test test-harness shell gdb image tree series edit refresh bisectable regress check bench latency clean distclean
.DELETE_ON_ERROR:
.NOTPARALLEL:

help:
	@harness/help.sh

run:
	@harness/prepare.sh
	@harness/run.sh run

test:
	@harness/test.sh

# The guest is switched off with a frozen job in the image on its disk, and started again
hibernate:
	@harness/prepare.sh
	@harness/run.sh hibernate

test-harness:
	@harness/selftest.sh

shell gdb:
	@harness/prepare.sh
	@harness/run.sh $@

image:
	@harness/prepare.sh image >&2
	@harness/where.sh image

tree:
	@harness/prepare.sh tree >&2
	@harness/where.sh tree

series:
	@harness/prepare.sh tree
	@harness/series.sh

# The series as a branch of a git repository, out/edit-BASE, and back to patches/
edit:
	@harness/edit.sh

refresh:
	@harness/refresh.sh

# Each patch of the series builds in each of a set of configurations, and the last one boots and passes; with BOOT="y n" each patch boots
bisectable:
	@harness/tools.sh
	@harness/bisectable.sh

# The selftests of the kernel that touch what the series touches, on our kernel and on the unpatched one
regress:
	@harness/regress.sh

check:
	@harness/check.sh

# The same measurements on our kernel, on the same without the freezer, and on the unpatched one
bench:
	@harness/bench.sh

# For how long interrupts are off, with a crowd of 20000
latency:
	@harness/latency.sh

# What was built; clean leaves the unpacked sources, what was fetched, and the repositories of make edit.
clean:
	rm -rf out/tree out/run out/series-* out/edit-work out/refresh-work out/roundtrip out/check out/bench-* out/*.log

distclean:
	rm -rf out
