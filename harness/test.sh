#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: make test. The last line of its output is the count, whatever happens.

trap 'echo "0 passed, 1 failed, 0 skipped"' EXIT
dir=$(dirname "$0")
. "$dir/lib.sh"
. "$dir/guest/patterns.sh"

# The debuggers come along when gdb_test is one of the programs.
if is_chosen gdb_test "$(test_patterns "${TESTS:-}")"; then export GUEST_DEBUGGERS=1; fi
build guest
trap - EXIT
exec "$dir/run.sh" test
