#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# run.sh MODE: boot the kernel in QEMU in a mode of harness/guest/init (test, run, hibernate, bench,
# shell, gdb, step), or as clients, with the guest that harness/clients.sh has made, and judge what
# came of it. hibernate boots twice: the guest switches itself off with its memory in an image on
# the disk, and goes on from there in the second QEMU.
#
#   TESTS=   test programs to run, shell patterns with blanks between; a pattern "!x*" leaves out
#            what x* matches; core and worlds stand for programs (the tests' Makefile says which)
#   ARGS=    their arguments
#   WORLD=   what they run in: plain|container|userns|mover|limits|killable|v2|both, more than one
#            with +
#            between
#   TIMEOUT= seconds for the whole guest
#   LIMIT=   seconds for each test program (default: what their settings file says)
#   SMP=2 MEM=2048 KVM=auto|1|0
#   APPEND=  more for the kernel command line
#   QEMU_ARGS= more for QEMU

. "$(dirname "$0")/lib.sh"

mode=$1
# Another guest or kernel than that of the variables
initrd=${RUN_INITRD:-$INITRD}
IMAGE=${RUN_IMAGE:-$IMAGE}
SMP=${SMP:-2}
[ "$SMP" -le "$ARCH_CPUS" ] || SMP=$ARCH_CPUS
MEM=${MEM:-2048}
guest_mode=$mode
tests=$(test_patterns "${TESTS:-}")
tty=0

[ "$mode" != hibernate ] || [ -z "$ARCH_NO_HIBERNATION" ] ||
	die "make hibernate ARCH=$ARCH: $ARCH_NO_HIBERNATION"
case $mode in
test)
	timeout=3600
	# They slow the tests down.
	[[ +$WORLD+ != *+@(mover|limits)+* ]] || timeout=4800
	;;
run | hibernate) timeout=600 ;;
step) timeout=60 ;;
clients) timeout=5400 ;;
bench) timeout=3600 SMP=1 KVM=0 ;;
gdb) timeout=0 guest_mode=shell KVM=0 ;;
shell) timeout=0 ;;
*) die "run.sh: unknown mode $mode" ;;
esac
# Lockdep, KASAN and KCSAN make emulation several times slower, and need memory.
[ -z "$DEBUG" ] || { timeout=$((timeout * 3)); [ "$MEM" -ge 4096 ] || MEM=4096; }
timeout=${TIMEOUT:-$timeout}

# settings_file RUNDIR TEXT: an initramfs with TEXT as the file /settings, into $initrd
settings_file() {
	mkdir "$1/settings"
	printf '%s\n' "$2" >"$1/settings/settings"
	{ cat "$initrd"; (cd "$1/settings" && echo settings | cpio -o -H newc --quiet); } \
		>"$1/initrd"
	initrd=$1/initrd
}

# make_command RUNDIR MODE ACCEL: QEMU's command, into the array and into RUNDIR/command
make_command() {
	local dir=$1 accel=$3 append
	append="console=$ARCH_CONSOLE panic=-1 no_console_suspend freezer.mode=$2"
	if [ "$2" = shell ]; then
		append="$append freezer.terminal=$ARCH_CONSOLE"
	else
		append="$append oops=panic freezer.terminal=$ARCH_TERMINAL"
	fi
	[ "$tty" = 0 ] || append="$append freezer.tty=1 freezer.cols=$cols freezer.rows=$rows"
	[ -z "$tests" ] || append="$append freezer.tests=${tests// /,}"
	[ -z "${ARGS:-}" ] || append="$append freezer.args=${ARGS// /%20}"
	[ "$WORLD" = plain ] || append="$append freezer.world=$WORLD"
	[[ +$WORLD+ != *+killable+* ]] || append="$append cgroup_freezer.killable=1"
	[ -z "${LIMIT:-}" ] || append="$append freezer.limit=$LIMIT"
	[ "$2" != hibernate ] || append="$append resume=/dev/vda"
	[ -z "${APPEND:-}" ] || append="$append $APPEND"

	command=("$ARCH_QEMU")
	# shellcheck disable=SC2206
	command+=($ARCH_MACHINE)
	case $accel in
	kvm) command+=(-accel kvm -cpu host) ;;
	*)
		command+=(-accel "tcg$([ "$mode" = bench ] || echo ",thread=$ARCH_TCG_THREAD")")
		command+=(-cpu "$ARCH_CPU_TCG")
		;;
	esac
	# A clock that counts instructions: the same figures on any host
	[ "$mode" != bench ] || command+=(-icount "shift=1,sleep=off")
	# shellcheck disable=SC2054
	command+=(-smp "$SMP" -m "$MEM" -nodefaults -no-reboot -display none
		-kernel "$IMAGE"
		-device virtio-serial
		-chardev "file,id=verdict,path=$dir/verdict"
		-device virtserialport,chardev=verdict,name=verdict
		-drive "file=$dir/disk,format=raw,if=virtio,cache=unsafe")
	case $2 in
	shell)
		command+=(-chardev "stdio,id=console,mux=on,signal=off,logfile=$dir/console.log"
			-serial chardev:console)
		;;
	probe) command+=(-serial "file:$dir/console.log") ;;
	*)
		command+=(-serial "file:$dir/console.log"
			-chardev "stdio,id=terminal,signal=on")
		if [ -n "$ARCH_ONE_SERIAL" ]; then
			command+=(-device "virtconsole,chardev=terminal")
		else
			command+=(-serial chardev:terminal)
		fi
		;;
	esac
	[ "$mode" != gdb ] || command+=(-s -S)
	# shellcheck disable=SC2206
	[ -z "${QEMU_ARGS:-}" ] || command+=($QEMU_ARGS)
	# A kernel may take less than that; /init reads the rest from a file.
	if [ "${#append}" -gt "$ARCH_COMMAND_LINE" ]; then
		settings_file "$dir" "$append"
		append=$(tr ' ' '\n' <<<"$append" | grep -v '^freezer\.' | paste -sd' ')
	fi
	command+=(-initrd "$initrd" -append "$append")
	rm -f "$dir/verdict"
	truncate -s 1G "$dir/disk"
	# As one would type it
	printf '%s\n' "${command[@]}" | sed "s/.*[^A-Za-z0-9_.,:=/+-].*/'&'/" | paste -sd' ' \
		>"$dir/command"
}

# accelerator: kvm when this very kernel comes up with it, and soon. That /dev/kvm is there says
# little: in a virtual machine it may not run our guest, or run it slower than emulation. Tried once
# per host boot.
accelerator() {
	local dir key answer=tcg
	case ${KVM:-auto} in
	0 | no | n) echo tcg; return ;;
	1 | yes | y) echo kvm; return ;;
	esac
	if [ ! -w /dev/kvm ] || [[ " $ARCH_KVM " != *" $(uname -m) "* ]]; then
		echo tcg
		return
	fi
	key=$(cat /proc/sys/kernel/random/boot_id 2>/dev/null || uname -r)
	if [ "$(cut -d' ' -f1 "$OUT/kvm" 2>/dev/null)" != "$key" ]; then
		dir=$OUT/run/probe.$$
		mkdir -p "$dir"
		make_command "$dir" probe kvm
		timeout -k 5 15 "${command[@]}" </dev/null >/dev/null 2>&1 || true
		! grep -q '^end' "$dir/verdict" 2>/dev/null || answer=kvm
		rm -rf "$dir"
		echo "$key $answer" >"$OUT/kvm"
		[ "$answer" = kvm ] || say "      /dev/kvm is there but does not run this kernel" \
			"in 15 s: emulation (KVM=1 to insist)"
	fi
	cut -d' ' -f2 "$OUT/kvm"
}

[ -f "$IMAGE" ] || die "no kernel at $(rel "$IMAGE"); make image builds it"
mkdir -p "$OUT/run"
# The last twenty runs are kept.
(cd "$OUT/run" && for old in $(printf '%s\n' 20* | sort -r | tail -n +20); do
	[ ! -d "$old" ] || rm -rf "$old"
done)
accel=$(accelerator)
dir=$OUT/run/$(date +%Y%m%d-%H%M%S)-$mode-$BUILD_NAME.$$
mkdir -p "$dir"
ln -sfn "$(basename "$dir")" "$OUT/run/latest-$mode"
if [ -t 1 ]; then
	cols=$(tput cols 2>/dev/null || echo 80) rows=$(tput lines 2>/dev/null || echo 24)
	[[ $mode == @(test|clients) ]] || tty=1
fi
make_command "$dir" "$guest_mode" "$accel"
trap 'rm -f "$dir/disk" "$dir/initrd"' EXIT

text="boot: $accel, $SMP CPUs, $MEM MB"
[ "$WORLD" = plain ] || text="$text, world $WORLD"
[ "$timeout" = 0 ] || text="$text, at most $timeout s"
step 7 "$text, logs: $(rel "$dir")/"
sed 's/^/      /' "$dir/command" >&2

# What a test that suspends the guest to idle is woken by: somebody who hits a key
typist() { while sleep 2 && echo 2>/dev/null; do :; done; }

# boot: QEMU, which ends by itself or after its time
boot() {
	timeout --foreground -k 10 "$timeout" "${command[@]}" 2>"$dir/qemu.log" ||
		echo "$?" >"$dir/status"
}

started=$(date +%s)
status=0
case $mode in
shell | gdb)
	[ "$mode" != gdb ] ||
		say "      waiting for:  gdb $(rel "$BUILD")/vmlinux -ex 'target remote :1234'"
	timeout --foreground -k 10 "$timeout" "${command[@]}" || status=$?
	exit "$status"
	;;
test)
	boot < <(typist) | tee "$dir/output.log" |
		perl "$TOP/harness/ktap.pl" "$dir/results" || true
	;;
*)
	boot </dev/null | tee "$dir/output.log" || true
	;;
esac
# The first boot ended; unless something went wrong there, the guest is off and has not come to its
# end.
if [ "$mode" = hibernate ] && [ ! -e "$dir/status" ]; then
	if [ -s "$dir/verdict" ]; then
		say "FAILED: the guest was not hibernated"
		exit "$E_TEST"
	fi
	say "      $(($(date +%s) - started)) s: the guest is off; once more, from the image on" \
		"its disk"
	mv "$dir/console.log" "$dir/console-1.log"
	# The harness of the tests of 6.1 cannot run one of them alone, and one of the others wants
	# to be woken.
	boot < <(typist) | tee -a "$dir/output.log" || true
	cat "$dir/console-1.log" "$dir/console.log" >"$dir/console-2.log"
	mv "$dir/console-2.log" "$dir/console.log"
fi
status=$(cat "$dir/status" 2>/dev/null || echo 0)
say "      $(($(date +%s) - started)) s"
"$TOP/harness/judge.sh" "$dir" "$mode" "$status" "$timeout"
