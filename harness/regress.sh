#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# regress.sh: make regress. The kernel's own selftests that touch what the series touches, built once from the unpatched tree, and run on the kernel
# with the series and on the unpatched one. Both results are printed side by side; a test that passes on the unpatched kernel and does not pass on
# ours is run again there, and fails this command if it does not pass then either. TESTS= are patterns of the programs, COLLECTIONS= the directories
# of tools/testing/selftests.
#
# Linked statically, since the guest has no libraries; what does not link so, for want of a library on this machine, is named and left out.

dir=$(dirname "$0")
"$dir/tools.sh" regress || exit
export VANILLA=
for VANILLA in 1 ''; do
	"$dir/prepare.sh" image || exit
done
VANILLA=1
. "$dir/lib.sh"
dir=$TOP/harness
collections=${COLLECTIONS:-cgroup ptrace signal sigaltstack futex seccomp exec clone3 pidfd rseq}
# What takes long without a word on freezing, signals or fork, or needs what the guest does not have
left_out='test_stress.sh test_cpuset_prs.sh test_cpuset_v1_hp.sh test_memcontrol test_kmem test_zswap test_hugetlb_memcg test_cpu test_cpuset
seccomp_benchmark binfmt_script.py run.sh wait_inotify futex_numa_mpol futex_numa check-exec-tests.sh set-exec'
selftests=$TREE/tools/testing/selftests
work=$OUT/regress/$BASE
log=$work/build.log
rm -rf "$work"
mkdir -p "$work/root" "$work/o"

step 6 "selftests of the kernel: $collections"
kmake "$TREE" headers >"$log" 2>&1 || { tail -n 5 "$log" >&2; say "build failed, log: $(rel "$log")"; exit "$E_BUILD"; }
: >"$work/root/kselftest-list.txt"
: >"$work/list"
for collection in $collections; do
	[ -f "$selftests/$collection/Makefile" ] || continue
	if [ "$collection" = rseq ]; then
		# Its Makefile makes a shared library.
		mkdir -p "$work/root/rseq"
		for program in basic_test basic_percpu_ops_test param_test; do
			if "${CROSS_COMPILE:-}gcc" -static -O2 -w -D_GNU_SOURCE= -I"$selftests" -I"$selftests/rseq" -isystem "$BUILD/usr/include" -o "$work/root/rseq/$program" \
				"$selftests/rseq/$program.c" "$selftests/rseq/rseq.c" -lpthread -ldl >>"$log" 2>&1; then
				echo "rseq:$program" >>"$work/root/kselftest-list.txt"
			fi
		done
		continue
	fi
	LDFLAGS=-static kmake "$selftests" -k TARGETS="$collection" KHDR_INCLUDES="-isystem $BUILD/usr/include" INSTALL_PATH="$work/i" install >>"$log" 2>&1 || true
	mkdir -p "$work/i"
	cp -a "$work/i/." "$work/root/" 2>/dev/null || true
	[ ! -f "$work/i/kselftest-list.txt" ] || while IFS=: read -r where name; do
		# No scripts: the guest has no bash. Only what is linked by now.
		if [ -x "$work/root/$where/$name" ] && [ "$(head -c 4 "$work/root/$where/$name" | tail -c 3)" = ELF ] && [[ " ${left_out//$'\n'/ } " != *" $name "* ]]; then
			echo "$where:$name"
		fi
	done <"$work/i/kselftest-list.txt" >>"$work/list"
	rm -rf "$work/i"
done
sort -u "$work/list" >>"$work/root/kselftest-list.txt"
find "$work/root" -name settings -delete
sed -n 's/.*ld: cannot find \(-l[a-z0-9]*\).*/      not linked statically for want of \1/p; s/.*fatal error: \(.*\): No such file.*/      not built for want of \1/p' "$log" | sort | uniq -c >&2
[ -s "$work/root/kselftest-list.txt" ] || die "no selftest could be built, log: $(rel "$log")"

export RUN_INITRD=$work/initramfs.cpio
"$dir/initramfs.sh" "$work/root" "$RUN_INITRD"

# run_on COLUMN TESTS: results of the programs, "program: test<tab>result" a line
run_on() {
	local from
	TESTS=$2 LIMIT=${LIMIT:-300} TIMEOUT=${TIMEOUT:-2400} "$dir/run.sh" test </dev/null >"$work/$1.log" 2>&1 || true
	from=$(sed -n 's/.*logs: \(out\/run\/[^ ]*\)\/.*/\1/p' "$work/$1.log" | head -n 1)
	tr -d '\r' <"$TOP/$from/output.log" | awk '
		/^### begin / { name = $4; n = 0; next }
		/^### end / { print name ": exit status\t" $4; name = ""; next }
		name != "" && /^(not )?ok / {
			result = /# SKIP/ ? "skip" : /^not/ ? "not ok" : "ok"
			sub(/^(not )?ok */, ""); sub(/^[0-9]+ */, ""); sub(/^- /, ""); sub(/ *# SKIP.*/, "")
			gsub(/0x[0-9a-f]+|[0-9]+(\.[0-9]+)? (us|ms|ns|s)\>/, "N")
			key = name ": " $0
			if (seen[key]++) key = key " (" seen[key] ")"
			print key "\t" result
		}' >"$work/$1"
	grep -aE -f <(awk -F'\t' '$1 == "report" {print $2}' "$dir/reports") "$TOP/$from/console.log" >"$work/$1.reports" || true
}

# compare OURS: prints both columns of what differs, and the lines "worse PROGRAM" into $work/worse
compare() {
	awk -F'\t' -v worse="$work/worse" '
		FNR == NR { was[$1] = $2; order[++n] = $1; next }
		{ is[$1] = $2; if (!($1 in was)) order[++n] = $1 }
		function good(r) { return r == "ok" || r == "0" }
		END {
			printf "" >worse
			for (i = 1; i <= n; i++) {
				t = order[i]
				program = t; sub(/: .*/, "", program)
				programs[program] = 1
				if (t !~ /: exit status$/) {
					a[program]++; if (is[t] == "ok") x[program]++; if (was[t] == "ok") y[program]++
				}
				if (is[t] != was[t]) {
					bad = good(was[t]) && !good(is[t])
					d[++m] = sprintf("  %-60s %-10s %-10s%s", substr(t, 1, 60), t in is ? is[t] : "missing", t in was ? was[t] : "missing", bad ? "  WORSE" : "")
					if (bad) print program >worse
				}
			}
			printf "%-36s %14s %14s\n", "program", "with the series", "unpatched"
			for (i = 1; i <= n; i++) {
				program = order[i]; sub(/: .*/, "", program)
				if (program in shown) continue
				shown[program] = 1
				printf "%-36s %9d of %-3d %9d of %-3d\n", program, x[program], a[program], y[program], a[program]
			}
			if (m) printf "different:%53s %s\n", "with the series", "unpatched"
			for (i = 1; i <= m; i++) print d[i]
		}' "$work/unpatched" "$1"
}

tests=${TESTS:-$(cut -d: -f2 "$work/root/kselftest-list.txt" | sort -u | tr '\n' ' ')}
for column in unpatched ours; do
	step 7 "$(wc -w <<<"$tests") programs, $column"
	# Each with its own kernel
	if [ "$column" = unpatched ]; then export VANILLA=1; else export VANILLA=; fi
	run_on "$column" "$tests"
done
compare "$work/ours"
if [ -s "$work/worse" ]; then
	again=$(sort -u "$work/worse" | tr '\n' ' ')
	echo "again, with the series: $again"
	run_on again "$again"
	# The new results of these programs in the place of the old ones
	{ awk -F'\t' -v again="$again" 'BEGIN { n = split(again, l, " "); for (i = 1; i <= n; i++) w[l[i]] = 1 } { p = $1; sub(/: .*/, "", p); if (!(p in w)) print }' "$work/ours"; cat "$work/again"; } >"$work/second"
	compare "$work/second"
fi
new_reports=$(sed 's/^\[[^]]*\] *//' "$work/ours.reports" | sort -u | comm -23 - <(sed 's/^\[[^]]*\] *//' "$work/unpatched.reports" | sort -u))
[ -z "$new_reports" ] || printf 'kernel reports with the series only:\n%s\n' "$new_reports"
total=$(grep -cv ': exit status' "$work/ours" || true)
worse=$(wc -l <"$work/worse")
echo "regress: BASE=$BASE, $total results, $worse worse than on the unpatched kernel"
[ "$worse" = 0 ] && [ -z "$new_reports" ] && [ "$total" -gt 0 ]
