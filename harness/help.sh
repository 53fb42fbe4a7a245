#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
cat <<'END'
make run            boot the patched kernel and show a real job frozen and thawed
make test           the selftests in the guest; the last line: N passed, N failed, N skipped
make hibernate      freeze, hibernate the guest to its disk, start it again from there, thaw
make shell          a shell in the guest (leave with exit or Ctrl-A x)
make gdb            the same, waiting for gdb on port 1234
make -s image       build; the last line is the path of the bootable image
make series         the complete series, ready for git am, to out/series-$(BASE)/
make edit           the series as a git branch in out/edit-$(BASE)/, a commit for each patch; BASE=new: port it there
make refresh        write that branch back to patches/
make bisectable     build each step of the series in many configurations, boot the last; BOOT=y: boot each
make regress        the selftests of the kernel that touch what the series touches, on our kernel and on the unpatched one
make check          checkpatch, sparse, W=1, kernel-doc, shellcheck, clauses against tests
make bench          side by side with the unpatched kernel, on a clock that counts instructions
make latency        for how long interrupts are off while 20000 tasks are frozen, thawed and looked at
make test-harness   tests that must fail, and do they?
make clean          remove what was built (distclean: and what was unpacked)

BASE=6.12           the base: one of patches/series        ARCH=x86_64   the architecture
VANILLA=1           the unpatched kernel                  DEBUG=1       lockdep, KASAN and the like; kcsan: KCSAN
LINUX=/tree         another source tree                   CONFIG=file   options added to the configuration
INJECT=name         with harness/inject/name.patch on top: a fault, or a delay that opens a window

TESTS="churn state*"  test programs to run (patterns)     ARGS="-n 20"  their arguments
WORLD=container     where the tests run: plain, container, userns, mover, limits, killable; with + between: all of these
TIMEOUT=900         seconds for the guest                 LIMIT=60      seconds for each test program
SMP=2 MEM=2048      CPUs and MB of the guest              KVM=auto|1|0  V=1 all that the tests print

One program:        make test TESTS=churn ARGS="-n 5 -m vfork" V=1
Exit status of harness/run.sh: 0 passed, 1 set-up, 2 build failed, 3 test failed, 4 kernel report, 5 hang, 6 ended early,
                    7 results missing, 8 test skipped
END
