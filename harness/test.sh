#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# test.sh: make test. The last line of its output is the count, whatever happens.

dir=$(dirname "$0")
"$dir/prepare.sh" all
status=$?
if [ "$status" != 0 ]; then
	echo "0 passed, 1 failed, 0 skipped"
	exit "$status"
fi
exec "$dir/run.sh" test
