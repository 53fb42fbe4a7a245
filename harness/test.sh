#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: make test. The last line of its output is the count, whatever happens.

dir=$(dirname "$0")
# The debuggers come along when one of the programs is gdb_test.
set -f
for pattern in ${TESTS:-*}; do
	# shellcheck disable=SC2194,SC2254
	case gdb_test in
	$pattern) export GUEST_DEBUGGERS=1 ;;
	esac
done
set +f
"$dir/prepare.sh" all
status=$?
if [ "$status" != 0 ]; then
	echo "0 passed, 1 failed, 0 skipped"
	exit "$status"
fi
exec "$dir/run.sh" test
