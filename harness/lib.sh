# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034
#
# What the scripts of the harness share: where things are, how they speak, how they end. Sourced,
# never run.
#
# Everything made by the harness is under out/:
#   src/BASE          the pristine source, never written to
#   tree/NAME         the source plus the series and the new files; hard links to the pristine one
#                     except where they differ
#   tree/NAME.d       the state of apply.sh: stage/ (the files that differ), changed (when the tree
#                     last changed), applied (when it was last looked at), inputs (the files then)
#   tree/NAME/build-ARCH...  the kernel's O= directory, test programs and initramfs included. In the
#                     tree, for then the kernel's make uses relative paths, and ccache finds again
#                     what another tree or clone has built.
#   run/TIME-MODE-NAME  one boot: command, console, output, verdict
#   series-BASE       what `make series` writes
#   series-composed/BASE  the mails of patches/ as BASE has them, complete (series-lib.sh)
#   edit-BASE         the repository of `make edit`

set -euo pipefail

# How make test and its parts end. harness/judge.sh explains the last six.
readonly E_SETUP=1 E_BUILD=2 E_TEST=3 E_REPORT=4 E_HANG=5 E_EARLY=6 E_MISSING=7 E_SKIP=8

say() { printf '%s\n' "$*" >&2; }
die() { printf '%s\n' "$*" >&2; exit "$E_SETUP"; }

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
OUT=$TOP/out
BASE=${BASE:-6.12}
ARCH=${ARCH:-x86_64}
DEBUG=${DEBUG:-}
VANILLA=${VANILLA:-}
LINUX=${LINUX:-}
CONFIG=${CONFIG:-}
INJECT=${INJECT:-}
JOBS=${JOBS:-$(nproc)}
WORLD=${WORLD:-plain}
case $DEBUG in
0) DEBUG= ;;
'' | 1 | lockdep | kcsan) ;;
*) die "DEBUG=$DEBUG: there are 1 (lockdep, KASAN and the like), lockdep and kcsan" ;;
esac
# world.c of the tests says what they are. The limits are cgroups of v2, too, and a task is in one.
in_v2=
for world in ${WORLD//+/ }; do
	case $world in
	limits | v2 | both)
		[ -z "$in_v2" ] || die "WORLD=$WORLD: $in_v2 and $world do not go together"
		in_v2=$world
		;;
	plain | container | userns | mover | killable) ;;
	*) die "WORLD=$WORLD: there is no world $world; there are plain, container, userns," \
		"mover, limits, killable, v2, both, joined by +" ;;
	esac
done
# The fragment of harness/config/ that goes with it
DEBUG_NAME=
case $DEBUG in
1) DEBUG_NAME=debug ;;
?*) DEBUG_NAME=$DEBUG ;;
esac
[ "$VANILLA" != 0 ] || VANILLA=
[ -z "$VANILLA" ] || [ -z "$INJECT" ] ||
	die "INJECT=$INJECT: not into the unpatched kernel (VANILLA=1)"

# static_busybox: print the path of the busybox that goes into the guest, BUSYBOX= or the one of
# Debian's busybox-static. A dynamic one names an interpreter in its program headers.
static_busybox() {
	local busybox
	for busybox in "${BUSYBOX:-}" /bin/busybox /usr/bin/busybox; do
		[ -x "$busybox" ] || continue
		if ! readelf -lW "$busybox" 2>/dev/null | grep -q INTERP; then
			echo "$busybox"
			return
		fi
	done
	say "no static busybox; install busybox-static"
	return 1
}

# step N TEXT: one of the seven steps from nothing to a verdict
step() { printf '[%s/7] %s\n' "$1" "${*:2}" >&2; }

# A path as the user may type it from the top of the repository
rel() { printf '%s' "${1#"$TOP"/}"; }

# take_lock FILE: one at a time, until this script ends
take_lock() {
	mkdir -p "$(dirname "$1")"
	exec 9>"$1"
	flock -n 9 || { say "waiting for another make that holds $(rel "$1")"; flock 9; }
}

# The mails of the series. The scratch copy of roundtrip.sh is another one.
PATCHES=${PATCHES:-$TOP/patches}
series_bases() { sed -n 's/^bases: *//p' "$PATCHES/series"; }

# To edit the series for a base that it does not have yet is to port it.
if [[ -z "${ANY_BASE:-}" && " $(series_bases) " != *" $BASE "* ]]; then
	say "BASE=$BASE: not in patches/series; there is: $(series_bases)"
	die "to port the series to it:  make edit BASE=$BASE"
fi

# names_in DIR EXTENSION: what there is in harness/DIR/
names_in() { (cd "$TOP/harness/$1" && echo *."$2" | sed "s/\.$2//g"); }

[ -f "$TOP/harness/arch/$ARCH.sh" ] ||
	die "ARCH=$ARCH: not supported yet; there is: $(names_in arch sh)"
[ -z "$CONFIG" ] || [ -f "$CONFIG" ] || die "CONFIG=$CONFIG: no such file"
[ -z "$INJECT" ] || [ -f "$TOP/harness/inject/$INJECT.patch" ] ||
	die "INJECT=$INJECT: no harness/inject/$INJECT.patch; there is: $(names_in inject patch)"
# shellcheck source=harness/arch/x86_64.sh
. "$TOP/harness/arch/$ARCH.sh"

SRC_NAME=$BASE
if [ -n "$LINUX" ]; then
	[ -f "$LINUX/Kbuild" ] || die "LINUX=$LINUX: not a Linux source tree"
	LINUX=$(cd "$LINUX" && pwd)
	SRC_NAME=$BASE-$(basename "$LINUX")-$(printf '%s' "$LINUX" | cksum | cut -d' ' -f1)
fi
# SERIES_STEPS=N takes the first N patches only, in a tree of its own (harness/bisectable.sh).
# INJECT=NAME puts harness/inject/NAME.patch on top, a fault that is not of the series, in a tree of
# its own, too.
TREE_NAME=$SRC_NAME${VANILLA:+-vanilla}${SERIES_STEPS:+-steps}${INJECT:+-inject-$INJECT}
VARIANT=$ARCH${DEBUG:+-$DEBUG_NAME}
[ -z "$CONFIG" ] || VARIANT=$VARIANT-$(basename "$CONFIG" .config)
BUILD_NAME=$TREE_NAME-$VARIANT

SERIES=$OUT/series-composed/$BASE
SRC=$OUT/src/$SRC_NAME
TREE=$OUT/tree/$TREE_NAME
BUILD=$TREE/build-$VARIANT
IMAGE=$BUILD/$ARCH_IMAGE
# As large again with the debuggers in it
INITRD=$BUILD/initramfs${GUEST_DEBUGGERS:+-debuggers}.cpio

# The tests, with the kernel or not: they are copied into every tree, so that VANILLA=1 runs them
# too
TESTS_DIR=tools/testing/selftests/freezer

# listed NAME: the words of that variable of the tests' Makefile
listed() {
	sed -n -e ':a' -e '/\\$/{N;s/\\\n/ /;ba' -e '}' -e "s/^$1 := *//p" \
		"$TOP/$TESTS_DIR/Makefile" | tr -s ' \t' '\n'
}

# core_tests: the programs that the tests' Makefile does not call slow
core_tests() {
	(cd "$TOP/$TESTS_DIR" && printf '%s\n' *_test.c churn.c) | sed 's/\.c$//' |
		grep -vxFf <(listed SLOW)
}

# test_patterns TESTS: the same with "core" and "worlds" spelled out as programs
test_patterns() {
	local word words
	read -r -a words <<<"$1"
	for word in "${words[@]}"; do
		case $word in
		core) core_tests ;;
		!core) core_tests | sed 's/^/!/' ;;
		worlds) listed WORLDS ;;
		!worlds) listed WORLDS | sed 's/^/!/' ;;
		*) echo "$word" ;;
		esac
	done | paste -sd' '
}

# build tree|image|guest: harness/build.mk, for the variables as they are by now
build() { (cd "$TOP" && env -u MAKEFLAGS -u MFLAGS make -sf harness/build.mk "$1" >&2); }

# mirrors main|security: the Debian mirrors of MIRROR=, else those of this machine's own sources, as
# its apt reads them. Where there are no lists yet a source does not say that it is Debian's: then
# the name of its suite has to do.
# shellcheck disable=SC2016 # $( is apt's
mirrors() {
	local uri names format='$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)'
	for uri in ${MIRROR:-}; do
		case $uri in
		*security*) [ "$1" = main ] || echo "$uri" ;;
		*) [ "$1" = security ] || echo "$uri" ;;
		esac
	done
	[ -z "${MIRROR:-}" ] || return 0
	names='(old)*stable|testing|unstable|sid'
	names="$names|$(. /etc/os-release && [ "$ID" = debian ] && echo "${VERSION_CODENAME:-sid}")"
	{
		apt-get indextargets --format "$format" 'Created-By: Packages'
		apt-get indextargets --format "$format" --no-release-info 'Created-By: Packages'
	} | awk -v kind="$1" -v names="^(${names%|})([-/]|\$)" '
		$3 != "main" || $1 ~ /^cdrom:/ { next }
		$4 == "$(ORIGIN)" && ($1 in others || $2 !~ names) { next }
		$4 != "$(ORIGIN)" && ($4 != "Debian" || NF != 4) { others[$1]; next }
		($2 ~ /(-security|\/updates)$/) == (kind == "security") && !seen[$1]++ { print $1 }'
}

# kmake DIR ARGS...: the kernel's make. The same version string for the same source, no name of this
# machine in it; no bytecode of scripts in the source.
kmake() {
	local dir=$1 localversion=-freezer cc=${CROSS_COMPILE:-}gcc hostcc=gcc
	shift
	[ -z "$VANILLA" ] || localversion=-vanilla
	if command -v ccache >/dev/null; then cc="ccache $cc" hostcc="ccache $hostcc"; fi
	# x86 resumes in arch/x86/power/cpu.c without the %gs that KCSAN needs: a triple fault. It
	# takes kernel/cpu.o along.
	[ "$DEBUG" != kcsan ] || set -- KCSAN_SANITIZE_cpu.o=n "$@"
	env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u BASE -u CONFIG -u DEBUG -u INJECT -u LINUX \
		-u VANILLA -u TESTS -u V \
		PYTHONDONTWRITEBYTECODE=1 CCACHE_BASEDIR="$OUT" CCACHE_NOHASHDIR=1 \
		KBUILD_BUILD_USER=freezer KBUILD_BUILD_HOST=localhost \
		KBUILD_BUILD_TIMESTAMP='Thu Jan  1 00:00:00 UTC 2026' \
		nice -n 5 make -C "$dir" O="$BUILD" ARCH="$ARCH_KERNEL" \
		CROSS_COMPILE="${CROSS_COMPILE:-}" CC="$cc" HOSTCC="$hostcc" \
		LOCALVERSION="$localversion" -j"$JOBS" "$@"
}
