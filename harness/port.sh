#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# port.sh FROM TO: bring patches/TO up to date with patches/FROM: the patches that TO does not have, and the changes of those that it has.
#
# Both series become commits in one repository, out/port-TO, and what is to be ported is cherry-picked, so git merges three versions of each
# file. What it cannot merge stays there as a conflict: resolve it in out/port-TO/to, git add, and run the same command again, which starts anew
# and finds the resolution remembered (git rerere). patches/TO is written when all is done: with the message and the New-file: lines of FROM,
# but a message that TO has changed stays as it is.
#
# patches/TO/ported tells which version of a patch of FROM is in TO (the git blob). patches/TO/left-out names the patches that TO does not need
# or cannot have, and why. Patches that only TO has stay behind the patch that they stand behind.

from=${1:?port.sh FROM TO}
to=${2:?port.sh FROM TO}
export BASE=$to LINUX='' VANILLA=''
. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"
[ -d "$TOP/patches/$from" ] || die "no patches/$from"
for base in "$from" "$to"; do
	[ -d "$OUT/src/$base" ] || BASE=$base "$TOP/harness/fetch.sh"
done

export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CEILING_DIRECTORIES=$OUT
export GIT_AUTHOR_NAME=port GIT_AUTHOR_EMAIL=port@localhost GIT_COMMITTER_NAME=port GIT_COMMITTER_EMAIL=port@localhost
work=$OUT/port-$to
repo=$work/to
ported=$TOP/patches/$to/ported
touch "$ported"
git() { command git -C "$repo" "$@"; }

# select_base BASE: for the functions of series-lib.sh
select_base() { BASE=$1 SERIES=$TOP/patches/$1 SRC=$OUT/src/$1; }

# apply_patch FILE: its changes, in the work tree and the index
apply_patch() {
	! has_hunks "$1" || git apply --index --whitespace=nowarn "$1" || die "$(rel "$1") does not apply"
	removed_files_of "$1" | xargs -r -d '\n' git -C "$repo" rm -q -f --
}

commit() { git commit -q --allow-empty -m "$1"; }

# message FILE: the mail up to its diff
message() { sed '/^diff --git /,$d; /^---$/,$d' "$1"; }

# old_version PATCH FILE: the version of FROM that TO has
old_version() {
	local blob
	blob=$(awk -v patch="$1" '$2 == patch {print $1}' "$ported")
	[ -n "$blob" ] && command git -C "$TOP" cat-file blob "$blob" >"$2" 2>/dev/null
}

# write_patch PATCH: the last commit as the patch of TO
write_patch() {
	local new=$TOP/patches/$from/$1 mine=$TOP/patches/$to/$1 without head=$TOP/patches/$from/$1
	mapfile -t without < <(removed_files_of "$new" | sed 's/^/:!/')
	if [ -f "$mine" ] && old_version "$1" "$work/old" && [ "$(message "$work/old")" != "$(message "$mine")" ]; then
		head=$mine
		[ "$(message "$work/old")" = "$(message "$new")" ] || say "$1: the message has changed, but $to has its own: see to it"
	fi
	{
		message "$head"
		git diff --no-renames --abbrev=9 HEAD~ HEAD -- . "${without[@]}"
		sed -n '/^---$/,$p' "$new"
	} >"$work/new/$1"
	is_ported "$1"
}

# write_own PATCH: the same for a patch of TO whose surroundings have changed
write_own() {
	local mine=$TOP/patches/$to/$1 without
	mapfile -t without < <(removed_files_of "$mine" | sed 's/^/:!/')
	[ "$(git diff "own/$1~" "own/$1" | sed '/^index /d')" != "$(git diff HEAD~ HEAD | sed '/^index /d')" ] || return 0
	{
		message "$mine"
		git diff --no-renames --abbrev=9 HEAD~ HEAD -- . "${without[@]}"
		sed -n '/^---$/,$p' "$mine"
	} >"$work/new/$1"
	say "$1: other context"
}

# changed_lines FILE
changed_lines() { grep '^[-+]\|^diff \|^New-file\|^Removed-file' "$1"; }

is_ported() {
	local blob
	blob=$(command git -C "$TOP" hash-object -w "$TOP/patches/$from/$1")
	{ awk -v patch="$1" '$2 != patch' "$work/ported"; echo "$blob $1"; } | sort -k 2 >"$work/ported.new"
	mv "$work/ported.new" "$work/ported"
}

# A patch that FROM has numbered anew is the same patch.
topic() { sed -E 's/^[0-9]+[a-z]?-//' <<<"$1"; }
for new in $(cd "$TOP/patches/$from" && ls -- *.patch); do
	for file in "$TOP/patches/$to"/[0-9]*-"$(topic "$new")"; do
		old=${file##*/}
		if [ -f "$file" ] && [ "$old" != "$new" ] && [ ! -f "$TOP/patches/$from/$old" ] && [ ! -f "$TOP/patches/$to/$new" ]; then
			mv "$file" "$TOP/patches/$to/$new"
			sed -i "s/\b${old//./\\.}/$new/" "$TOP/patches/$to/series" "$ported"
			say "$old: is $new now"
		fi
	done
	old=$(sed 's/:.*//' "$TOP/patches/$to/left-out" 2>/dev/null | grep -E "^[0-9]+[a-z]?-$(topic "$new" | sed 's/\./\\./g')\$" || true)
	[ -z "$old" ] || [ "$old" = "$new" ] || sed -i "s/^${old//./\\.}/$new/" "$TOP/patches/$to/left-out"
done

left_out() { grep "^$1" "$TOP/patches/$to/left-out" 2>/dev/null; }

# Where a conflict was left, and is resolved by now
if [ -f "$work/conflict" ]; then
	unmerged=$(git diff --name-only --diff-filter=U | tr '\n' ' ')
	if [ -n "$unmerged" ] && ! left_out "$(cat "$work/conflict")" >/dev/null; then
		die "not resolved yet, in $(rel "$repo"): $unmerged"
	fi
	git rerere
fi

rm -rf "$work"
mkdir -p "$work/new" "$work.resolved"
cp "$ported" "$work/ported"
command git init -q -b from "$repo"
git config rerere.enabled true
git config rerere.autoupdate true
ln -s "$work.resolved" "$repo/.git/rr-cache"
# The files of either base, or a file would look as if it were new
for base in "$from" "$to"; do
	select_base "$base"
	for patch in $(series_patches); do
		touched_files "$SERIES/$patch"
	done
done | sort -u >"$work/files"

# pristine BASE: its files, as a commit
pristine() {
	select_base "$1"
	while read -r file; do
		rm -f "$repo/$file"
		[ -f "$SRC/$file" ] || continue
		mkdir -p "$repo/$(dirname "$file")"
		cp "$SRC/$file" "$repo/$file"
	done <"$work/files"
	git add -A -f
	commit "$1"
}

# chain BRANCH VERSION TAG PATCHES...: the patches as commits. VERSION names a function that prints the file of a patch.
chain() {
	local branch=$1 version=$2 tag=$3 each
	shift 3
	git checkout -q -b "$branch"
	for each; do
		apply_patch "$("$version" "$each")"
		commit "$each"
		git tag "$tag/$each"
	done
}
# shellcheck disable=SC2317
now() { echo "$SERIES/$1"; }
# shellcheck disable=SC2317
old() { old_version "$1" "$work/old" && echo "$work/old"; }

pristine "$from"
git tag base
mapfile -t theirs < <(series_patches)
chain from-now now from "${theirs[@]}"
# What TO has of them, in the order in which it was there
git checkout -q base
mapfile -t had < <(select_base "$to"; for patch in $(series_patches); do ! old_version "$patch" "$work/old" || echo "$patch"; done)
chain from-old old old "${had[@]}"
git checkout -q base
pristine "$to"
git tag base-to
mapfile -t own < <(series_patches)
chain to-old now own "${own[@]}"
git checkout -q -b to base-to
: >"$work/series"

# change_of PATCH: a commit that brings the old version of a patch of FROM to the new one
change_of() {
	local tree
	git checkout -q --detach "old/$1~"
	if git cherry-pick --allow-empty --keep-redundant-commits "from/$1" >"$work/log" 2>&1; then
		tree=$(git rev-parse "HEAD^{tree}")
	fi
	git cherry-pick --abort 2>/dev/null || true
	git checkout -q -f to
	[ -n "${tree:-}" ] || return 1
	git commit-tree -p "old/$1" -m "$1" "$tree"
}

# own_after PATCH: the patches that only TO has
own_after() {
	local mine on=
	[ -n "$1" ] || on=1
	for mine in "${own[@]}"; do
		if [ -f "$TOP/patches/$from/$mine" ]; then
			if [ "$mine" = "$1" ]; then on=1; else on=; fi
		elif [ -n "$on" ]; then
			pick "own/$mine" "$mine" || conflict_in "$mine"
			write_own "$mine"
			echo "$mine" >>"$work/series"
		fi
	done
}

# pick TAG PATCH ARGS...: false if there is a conflict
pick() {
	local tag=$1 patch=$2
	shift 2
	git cherry-pick --allow-empty --keep-redundant-commits "$@" "$tag" >"$work/log" 2>&1 && return
	# A file that goes away may differ.
	removed_files_of "$TOP/patches/$from/$patch" | xargs -r -d '\n' git -C "$repo" rm -q -f -- 2>/dev/null || true
	[ -z "$(git diff --name-only --diff-filter=U)" ] || return 1
	[[ " $* " == *" -n "* ]] || commit "$patch"
}

conflict_in() {
	echo "$1" >"$work/conflict"
	say "$1: conflict in $(git diff --name-only --diff-filter=U | tr '\n' ' ')"
	sed -n 's/^CONFLICT/      &/p' "$work/log" >&2
	say "next:  resolve it in $(rel "$repo"), git add what you changed, and run the same command again"
	exit 1
}

own_after ''
for patch in "${theirs[@]}"; do
	if [ -f "$SERIES/$patch" ]; then
		pick "own/$patch" "$patch" || conflict_in "$patch"
		if ! git rev-parse -q --verify "old/$patch" >/dev/null; then
			say "$patch: not in patches/$to/ported; taken for up to date"
			is_ported "$patch"
		elif ! { old_version "$patch" "$work/old" && cmp -s "$work/old" "$TOP/patches/$from/$patch"; }; then
			if [ "$(changed_lines "$work/old")" = "$(changed_lines "$TOP/patches/$from/$patch")" ]; then
				write_patch "$patch"
			elif ! change=$(change_of "$patch"); then
				say "$patch: has changed in $from in a way that has to be brought here by hand; then correct its line in patches/$to/ported"
				write_own "$patch"
			else
				pick "$change" "$patch" -n || conflict_in "$patch"
				git commit -q --amend --allow-empty --no-edit
				write_patch "$patch"
				say "$patch: brought up to date"
			fi
		else
			write_own "$patch"
		fi
	elif left_out "$patch" >&2; then
		continue
	elif pick "from/$patch" "$patch"; then
		write_patch "$patch"
		say "$patch: ported"
	else
		conflict_in "$patch"
	fi
	echo "$patch" >>"$work/series"
	own_after "$patch"
done

# All of TO applies as it is now.
cp "$work/ported" "$ported"
cp "$work/series" "$TOP/patches/$to/series"
find "$work/new" -type f -exec cp -t "$TOP/patches/$to" {} +
say "patches/$to: $(wc -l <"$work/series") patches"
