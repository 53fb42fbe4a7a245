# SPDX-License-Identifier: GPL-2.0
#
# From a fresh clone to a booted kernel with the cgroup freezer of this repository. Everything made
# goes to out/. The lines that begin with "#:" are what make help prints.
#
# harness/build.mk has the dependencies, up to the image and the guest.
build = @$(MAKE) -sf harness/build.mk

help:
	@sed -n 's/^#: \{0,1\}//p' Makefile

#: make run            boot the patched kernel and show a real job frozen and thawed
run:
	$(build) guest
	@harness/run.sh run

#: make test           the selftests in the guest; the last line: N passed, N failed, N skipped
test:
	@harness/test.sh

#: make quick          less than 6 minutes on a tree that is built: make check without sparse, W=1,
#:                     the build of the selftests and the round trip of patches/; then the tests
#:                     that are not slow
quick:
	@status=0; harness/check.sh quick || status=$$?; \
	TESTS="$${TESTS:-core}" harness/test.sh && exit $$status

#: make hibernate      freeze, hibernate the guest to its disk, start it again from there, thaw
hibernate:
	$(build) guest
	@harness/run.sh hibernate

#: make shell          a shell in the guest (leave with exit or Ctrl-A x)
#: make gdb            the same, waiting for gdb on port 1234
shell gdb:
	$(build) guest
	@harness/run.sh $@

#: make -s image       build; the last line is the path of the bootable image
image:
	$(build) image >&2
	@bash -c '. harness/lib.sh && echo "$$IMAGE"'

#: make -s tree        the source with the series, not built; the last line is its path
tree:
	$(build) tree >&2
	@bash -c '. harness/lib.sh && echo "$$TREE"'

#: make series         the complete series, ready for git am, to out/series-$(BASE)/
series:
	$(build) tree
	@harness/series.sh

#: make edit           the series as a git branch in out/edit-$(BASE)/, a commit for each patch;
#:                     BASE=new: port it there
edit:
	@harness/edit.sh

#: make refresh        write that branch back to patches/
refresh:
	@harness/refresh.sh

#: make check          checkpatch, sparse, W=1, kernel-doc, shellcheck, clauses against tests, and
#:                     whether make series, edit and refresh give what they should
check:
	@harness/check.sh

#: make objects         the objects of the series and of the files that it touches, without the rest
#:                     of the kernel: what ARCH= is quickly tried with
objects:
	@harness/objects.sh

#: make bisectable     build each step of the series in many configurations, boot the last
bisectable:
	@harness/tools.sh
	@harness/bisectable.sh

#: make regress        the selftests of the kernel that touch what the series touches, on our kernel
#:                     and on the unpatched one
regress:
	@harness/regress.sh

#: make clients        systemctl, podman, runc, crun, LXC and CRIU on a host with cgroup v2 only, on
#:                     our kernel and on the unpatched one
clients:
	@harness/clients.sh

#: make bench          our kernel, the same without the freezer of cgroup v1, and the unpatched one
#:                     side by side, on a clock that counts instructions
bench:
	@harness/bench.sh

#: make latency        for how long interrupts are off while 20000 tasks are frozen and thawed
latency:
	@harness/latency.sh

#: make model          search a model of the engine for errors, and find those that are put in
model:
	@harness/model/run.sh

#: make test-harness   tests that must fail, and do they?
test-harness:
	@harness/selftest.sh

#: make clean          remove what was built, and the results of make bench; not: unpacked sources,
#:                     what was fetched, out/edit-*
clean:
	rm -rf out/tree out/run out/series-* out/edit-work out/refresh-work out/roundtrip \
		out/check out/bench-* out/bisect out/regress out/model out/clients \
		out/series.lock out/*.log

#: make distclean      remove all of out/
distclean:
	rm -rf out

#:
#: The kernel
#: BASE=6.12           the base: one of those in patches/series
#: ARCH=x86_64         the architecture: x86_64, i386, arm64, arm, ppc64le, ppc64, riscv64, s390x,
#:                     mips64el, m68k (harness/arch/)
#: LINUX=/tree         another source tree, in a copy
#: VANILLA=1           the unpatched kernel
#: DEBUG=1             lockdep, KASAN and the like; DEBUG=lockdep: lockdep alone; DEBUG=kcsan: KCSAN
#: CONFIG=file         options added to the configuration
#: INJECT=name         with harness/inject/name.patch on top, a delay that widens a window:
#:                     late-birth or own-wakeup
#: JOBS=n              of the kernel's make at once (default: one for each CPU)
#: MIRROR=URL          the mirror of Debian for a base that the machine's apt sources do not have
BASE	?= 6.12
ARCH	?= x86_64
LINUX	?=
VANILLA	?=
DEBUG	?=
CONFIG	?=
INJECT	?=
JOBS	?= $(shell nproc)
MIRROR	?=

#:
#: The guest
#: TESTS="churn st*"   the test programs to run: patterns; "!churn": all but that one. core: those
#:                     that are not slow; worlds: a share for other worlds (both are in the Makefile
#:                     of the tests)
#: ARGS="-n 20"        their arguments
#: WORLD=container     where the tests run: plain, container, userns, mover, limits, killable, v2,
#:                     both; with + between: all of these
#: TIMEOUT=900         seconds for the guest; LIMIT=60: for each test program
#: SMP=2 MEM=2048      CPUs and MB of the guest
#: KVM=auto            1: with KVM, 0: emulated, auto: with KVM if that works
#: APPEND= QEMU_ARGS=  more for the kernel's command line, for QEMU.
#:                     APPEND="STORM_ROUNDS=1000 STORM_SECONDS=900": longer storms (*_storm_test,
#:                     parking_test), with LIMIT=5000 TIMEOUT=6000
#: V=1                 all that the tests print
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

#:
#: One command
#: series              AUTHOR='Name <mail>': who sends it; SIGNOFF='Name <mail>': who signs off
#: edit                FILES="a b": more files of the kernel; FROM=6.12: the mails of that base;
#:                     CONTINUE=1: after a conflict; FORCE=1: anew, though there are changes
#: refresh             MESSAGE=1: the messages of another base than the first, too
#: bisectable          BOOT=y, n or "y n": boot a small kernel at each step, with the freezer or
#:                     without; CONFIGS="2 5": these; FROM= TO=: patches by number; NOBOOT=1: boot
#:                     none; AGAIN=1: though done before
#: regress             COLLECTIONS="futex ipc": directories of tools/testing/selftests;
#:                     TIMES=100: all programs, so often
#: clients             KERNELS="ours vanilla", TIMES=50 rounds, ROWS='^podman': rows by name; CACHE=
#:                     where the disk is kept (~/.cache/container-freezer)
#: bench               KERNELS="ours without vanilla", SECONDS_SLICED=6: of taking turns
#: latency             N=20000 tasks, ROUNDS=5, MOST=100: microseconds that may be
#: test-harness        CASES="crash warn": these
#:
#: One program:        make test TESTS=churn ARGS="-n 5 -m vfork" V=1
#: Exit status of harness/run.sh: 0 passed, 1 set-up, 2 build failed, 3 test failed, 4 kernel
#:                     report, 5 hang, 6 ended early, 7 results missing, 8 test skipped
export BASE ARCH LINUX VANILLA DEBUG CONFIG INJECT JOBS MIRROR
export TESTS ARGS WORLD TIMEOUT LIMIT SMP MEM KVM APPEND QEMU_ARGS V
export AUTHOR SIGNOFF

.PHONY: help run test quick hibernate shell gdb image tree series edit refresh check objects \
	bisectable regress clients bench latency model test-harness clean distclean
.NOTPARALLEL:
