# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=sh
#
# The patterns of TESTS=, as the guest and the scripts of the harness understand them; sourced. A
# program is chosen by a pattern that matches its name. A pattern "!x*" leaves out what x* matches,
# wherever it stands in the list; a list of nothing else chooses all the other programs.

# is_chosen NAME PATTERNS
is_chosen() (
	set -f
	chosen=1 others=0
	for pattern in $2; do
		# shellcheck disable=SC2254
		case $pattern in
		!*) case $1 in ${pattern#!}) exit 1 ;; esac ;;
		*)
			others=1
			case $1 in $pattern) chosen=0 ;; esac
			;;
		esac
	done
	[ "$others" = 0 ] || exit "$chosen"
)

# unmatched PATTERNS: those that match none of the names on stdin
unmatched() (
	set -f
	names=$(cat)
	for pattern in $1; do
		found=
		for name in $names; do
			# shellcheck disable=SC2254
			case $name in ${pattern#!}) found=1; break ;; esac
		done
		[ -n "$found" ] || echo "$pattern"
	done
)
