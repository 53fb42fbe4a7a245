#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# selftest.sh: do the tests fail when they must? Boots the kernel of make test with the programs of
# harness/selftest/, one boot each, and compares how harness/run.sh ends, and its last line, with
# what is known. CASES="crash warn" selects.
#
# The kernel of DEBUG=1 has one more, a use after free, and that of DEBUG=kcsan a data race: is it
# caught? The latter also sees whether the judge knows whose a race is, by consoles that are written
# here.

dir=$(dirname "$0")
. "$dir/lib.sh"
build image
dir=$TOP/harness

export WORLD=plain RUN_INITRD=$BUILD/initramfs-harness.cpio
programs=$TOP/harness/selftest
if [ "$DEBUG" = kcsan ]; then
	# With the module that has the race
	programs=$BUILD/selftest
	rm -rf "$programs" "$BUILD/selftest-module"
	cp -a "$TOP/harness/selftest" "$programs"
	cp -a "$TOP/harness/selftest-module" "$BUILD/selftest-module"
	if ! {
		kmake "$TREE" modules_prepare &&
			kmake "$TREE" KBUILD_MODPOST_WARN=1 M="$BUILD/selftest-module" modules
	} >"$BUILD/selftest-module.log" 2>&1; then
		tail -n 5 "$BUILD/selftest-module.log" >&2
		say "build failed: harness/selftest-module," \
			"log: $(rel "$BUILD")/selftest-module.log"
		exit "$E_BUILD"
	fi
	cp "$BUILD/selftest-module/planted_race.ko" "$programs/"
fi
"$dir/initramfs.sh" "$programs" "$RUN_INITRD"

# program, exit status, last line, reason, seconds for the guest, for the program
cases='pass|0|2 passed, 0 failed, 0 skipped|PASSED|120|20
fail|3|1 passed, 1 failed, 0 skipped|a test failed|120|20
status|3|1 passed, 1 failed, 0 skipped|exit status 3|120|20
skip|8|1 passed, 0 failed, 1 skipped|a test was skipped|120|20
skipall|8|0 passed, 0 failed, 1 skipped|a test was skipped|120|20
silent|7|0 passed, 1 failed, 0 skipped|results are missing|120|20
short|7|2 passed, 1 failed, 0 skipped|results are missing|120|20
nosuch|7|0 passed, 1 failed, 0 skipped|no test program matches nosuch|120|20
warn|4|1 passed, 1 failed, 0 skipped|kernel report: .*WARNING|120|20
oops|6|0 passed, 3 failed, 0 skipped|kernel report: .*BUG|120|20
crash|6|0 passed, 2 failed, 0 skipped|Kernel panic - not syncing: sysrq triggered crash|120|20
off|6|1 passed, 2 failed, 0 skipped|left no verdict|120|20
hung|5|1 passed, 1 failed, 0 skipped|blocked for more than|120|20
stuck|5|0 passed, 2 failed, 0 skipped|passed their time limit|120|3
stuck|5|0 passed, 2 failed, 0 skipped|the guest was not done|30|1000'

case $DEBUG in
1) cases=$cases'
uaf|4|1 passed, 1 failed, 0 skipped|kernel report: .*KASAN: .*use-after-free|400|120' ;;
kcsan) cases=$cases'
race|4|1 passed, 1 failed, 0 skipped|kernel report: .*KCSAN: data-race in planted_writer|400|120' ;;
esac

mkdir -p "$OUT/run"
passed=0 failed=0 n=0
total=$(wc -l <<<"$cases")
while IFS='|' read -r program status last reason timeout limit; do
	n=$((n + 1))
	[ -z "${CASES:-}" ] || [[ " $CASES " == *" $program "* ]] || continue
	log=$OUT/run/harness-$n-$program.log
	started=$SECONDS
	got=0
	TESTS=$program ARGS='' TIMEOUT=$timeout LIMIT=$limit \
		"$dir/run.sh" test </dev/null >"$log" 2>&1 || got=$?
	said=$(grep -m 1 "$reason" "$log" || true)
	if [ "$got" = "$status" ] && [ "$(tail -n 1 "$log")" = "$last" ] && [ -n "$said" ]; then
		passed=$((passed + 1))
		echo "ok $n harness: $program ends with $status: $(cut -c 1-100 <<<"$said")" \
			"($((SECONDS - started)) s)"
	else
		failed=$((failed + 1))
		said=${said:+said}
		echo "not ok $n harness: $program: status $got, $status expected;" \
			"last line \"$(tail -n 1 "$log")\", \"$last\" expected;" \
			"\"$reason\" ${said:-not said}; log: $(rel "$log")"
	fi
done <<<"$cases"

# attributed STATUS NAME FRAME...: a console with a race of hrtimer_active() in that backtrace ends
# with this status
attributed() {
	local expected=$1 name=$2 judged=$OUT/run/harness-$2 got=0
	shift 2
	n=$((n + 1)) total=$((total + 1))
	[ -z "${CASES:-}" ] || [[ " $CASES " == *" $name "* ]] || return 0
	rm -rf "$judged"
	mkdir -p "$judged"
	printf 'test 0 in the world plain\nend\n' >"$judged/verdict"
	printf 'passed 1\nprograms 1\n' >"$judged/results"
	{
		printf '%s\n' '====' \
			"BUG: KCSAN: data-race in __hrtimer_run_queues / hrtimer_active" '' \
			'read to 0x1 of 8 bytes by interrupt on cpu 1:'
		printf ' %s+0x10/0x100\n' "$@"
		printf '%s\n' '' 'write to 0x1 of 8 bytes by interrupt on cpu 0:' \
			' __hrtimer_run_queues+0x10/0x100' '===================='
	} | sed 's/^/[    1.000000] /' >"$judged/console.log"
	"$dir/judge.sh" "$judged" test 0 1 >"$judged.log" 2>&1 || got=$?
	if [ "$got" = "$expected" ]; then
		passed=$((passed + 1))
		echo "ok $n harness: $name ends with $expected"
	else
		failed=$((failed + 1))
		echo "not ok $n harness: $name: status $got, $expected expected;" \
			"log: $(rel "$judged").log"
	fi
}
if [ "$DEBUG" = kcsan ]; then
	irq=asm_sysvec_apic_timer_interrupt
	attributed 4 race_of_ours hrtimer_active freezer_relook kthread
	attributed 4 race_of_ours_in_an_interrupt hrtimer_active freezer_relook "$irq" kthread
	attributed 0 race_of_an_interrupt hrtimer_active "$irq" freezer_relook kthread
	attributed 0 race_elsewhere hrtimer_active kthread
fi
[ -n "${CASES:-}" ] || [ $((passed + failed)) = "$total" ] || failed=$((failed + 1))
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
