#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# contract.sh: print the table of the clauses of Documentation/cgroups/freezer-contract.txt and the
# programs that test them, and see that it has no hole: each clause is named by a program, and each
# program names its clauses, by a line "Clauses: C1, C5." in its first comment. A program with more
# than one names each once more in a comment, where it tests it. C1 is a clause of the controller of
# v1, U1 one of cgroup v2.

dir=$(dirname "$0")
. "$dir/lib.sh"

contract=Documentation/cgroups/freezer-contract.txt

cd "$TOP"
[ -f "$contract" ] || die "no $contract"
programs=("$TESTS_DIR"/*_test.c "$TESTS_DIR"/churn.c)

# shellcheck disable=SC2016 # $0 is awk's
awk -v contract="$contract" '
	function complain(text) { print "error: " text; bad++ }

	# each_name(TEXT): calls note() for the names of clauses in it
	function each_name(text) {
		while (match(text, /[CU][0-9]+/)) {
			if (RSTART == 1 || substr(text, RSTART - 1, 1) !~ /[A-Za-z0-9_]/)
				if (substr(text, RSTART + RLENGTH, 1) !~ /[A-Za-z0-9_]/)
					note(substr(text, RSTART, RLENGTH))
			text = substr(text, RSTART + RLENGTH)
		}
	}

	function note(name) {
		if (FILENAME == contract)
			mentioned[name] = mentioned[name] ? mentioned[name] : FNR
		else if (!((program, name) in named)) {
			named[program, name] = FNR
			names[program] = names[program] " " name
		}
	}

	FNR == 1 {
		program = FILENAME
		sub(/.*\//, "", program)
		sub(/\.c$/, "", program)
		first = 1
		if (FILENAME != contract)
			programs[++nr_programs] = program
	}

	FILENAME == contract && /^[CU][0-9]+\. / {
		name = $1
		sub(/\.$/, "", name)
		if (name in title)
			complain(contract ": " name " is there twice; " \
				"give one of the two a number of its own")
		else
			clauses[++nr_clauses] = name
		title[name] = $0
		sub(/^[CU][0-9]+\. /, "", title[name])
		next
	}
	# a line of an example
	FILENAME == contract && /^\t \*/ { next }
	FILENAME == contract { each_name($0); next }

	/^ \* Clauses: / {
		if (!first)
			complain(FILENAME ": a line \"Clauses:\" below the first comment; " \
				"move it there")
		else if (program in list)
			complain(FILENAME ": two lines \"Clauses:\"; make one of them")
		else if ($0 !~ /^ \* Clauses: [CU][0-9]+(, [CU][0-9]+)*\.$/)
			complain(FILENAME ": \"" substr($0, 4) \
				"\"; write it as \"Clauses: C1, C5.\"")
		else
			list[program] = substr($0, 13)
		seen[program] = 1
		next
	}
	/^ \*\/$/ { first = 0 }
	/^[ \t]*(\*|\/\*)/ { each_name($0) }

	END {
		for (name in mentioned)
			if (!(name in title))
				complain(contract ":" mentioned[name] ": " name \
					" is no clause; mend the number")
		for (i = 1; i <= nr_programs; i++) {
			program = programs[i]
			if (!(program in list)) {
				if (!(program in seen))
					complain(program ".c names no clause; say which ones it " \
						"tests, \"Clauses: C1, C5.\", in the first comment")
				continue
			}
			n = split(list[program], own, /[ ,.]+/)
			delete has
			for (j = 1; j <= n; j++) {
				name = own[j]
				if (name == "")
					continue
				if (!(name in title))
					complain(program ".c: " name " is not in " contract \
						"; mend the number, or add the clause")
				if (name in has)
					complain(program ".c: " name " is twice in its line of " \
						"clauses; take one away")
				has[name] = 1
				testers[name] = testers[name] " " program
			}
			count = 0
			for (name in has)
				count++
			for (name in has)
				if (count > 1 && !((program, name) in named))
					complain(program ".c: which test is of " name "? Name " \
						"it in the comment above, or take it off the " \
						"line of clauses")
			n = split(names[program], own, " ")
			for (j = 1; j <= n; j++)
				if (!(own[j] in has))
					complain(program ".c:" named[program, own[j]] ": " own[j] \
						" is not in its line of clauses; add it there")
		}
		for (i = 1; i <= nr_clauses; i++) {
			name = clauses[i]
			printf "%-4s %-28s%s\n", name, title[name], testers[name]
			if (!testers[name])
				complain(name " (" title[name] ") is named by no program; " \
					"write a test, or name it where there is one")
		}
		if (!nr_clauses)
			complain(contract ": no clauses; each begins with a line as \"C1. State\"")
		if (bad)
			exit 1
		print "contract: " nr_clauses " clauses, each named by one or more of " \
			nr_programs " programs, and each of these names its own"
	}' "$contract" "${programs[@]}"
