#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# apply.sh: bring out/tree/NAME up to date: the pristine source, the series on it, and the new files
# of this repository.
#
# The tree is hard links to the pristine source; a file that differs is replaced, never written
# into. The files that differ are made in a directory of their own (NAME.d/stage) and then compared,
# so only what really changed gets a new date, and an edit of one file rebuilds what depends on that
# file. With VANILLA=1 the tree has the selftests and nothing else of ours.

. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"

state=$TREE.d
stage=$state/stage
mkdir -p "$state"
# The lock of the build, for no build likes its source to change under it.
take_lock "$state/build.lock"

if [ ! -d "$TREE" ] || { [ -z "$LINUX" ] && [ "$SRC.stamp" -nt "$state/linked" ]; }; then
	step 3 "series: a tree of hard links, $(rel "$TREE")"
	rm -rf "$TREE" "$TREE.new" "$state/files" "$state/linked"
	cp -al "$SRC" "$TREE.new"
	mv "$TREE.new" "$TREE"
	: >"$state/files"
	touch "$state/linked"
	rm -f "$state/upstream"
fi

# Of another tree (LINUX=) the files that changed there since
if [ -s "$state/upstream" ]; then
	sort -u "$state/upstream" | while read -r file; do
		if grep -qxF "$file" "$state/files"; then
			continue
		elif [ -f "$SRC/$file" ]; then
			mkdir -p "$TREE/$(dirname "$file")"
			ln -f "$SRC/$file" "$TREE/$file"
		elif [ ! -d "$TREE/$file" ]; then
			rm -f "$TREE/$file"
		fi
	done
	rm "$state/upstream"
	touch "$state/changed"
fi

rm -rf "$stage"
mkdir -p "$stage"
: >"$state/touched"
if [ -z "$VANILLA" ]; then
	stage_pristine "$stage" >"$state/touched"
	for patch in $(series_patches); do
		apply_hunks "$stage" "$SERIES/$patch" || conflict "$patch" "$stage"
		new_files_of "$SERIES/$patch" | copy_new_files "$stage"
		removed_files_of "$SERIES/$patch" | (cd "$stage" && xargs -r -d '\n' rm)
	done
	if [ -n "$INJECT" ]; then
		apply_hunks "$stage" "$TOP/harness/inject/$INJECT.patch" ||
			conflict "harness/inject/$INJECT.patch" "$stage"
	fi
fi
list_below "$TESTS_DIR" | copy_new_files "$stage"

# The stage against the tree
(cd "$stage" && find . -type f -printf '%P\n' | sort) >"$state/files.new"
changed=()
while read -r file; do
	if ! cmp -s "$stage/$file" "$TREE/$file"; then
		mkdir -p "$TREE/$(dirname "$file")"
		cp --preserve=mode "$stage/$file" "$TREE/$file.new.$$"
		mv -f "$TREE/$file.new.$$" "$TREE/$file"
		changed+=("$file")
	fi
done <"$state/files.new"
# What the series removes
while read -r file; do
	if [ ! -e "$stage/$file" ] && [ -e "$TREE/$file" ]; then
		rm "$TREE/$file"
		changed+=("$file")
	fi
done <"$state/touched"
# What differed before and no longer does
sort -u "$state/files.new" "$state/touched" |
	comm -23 <(sort -u "$state/files" "$state/touched.old" 2>/dev/null) - >"$state/gone"
while read -r file; do
	if [ -e "$SRC/$file" ]; then
		cp --preserve=mode --remove-destination "$SRC/$file" "$TREE/$file"
	else
		rm -f "$TREE/$file"
		dir=$(dirname "$file")
		(cd "$TREE" && rmdir -p --ignore-fail-on-non-empty "$dir" 2>/dev/null) || true
	fi
	changed+=("$file")
done <"$state/gone"
mv "$state/files.new" "$state/files"
mv "$state/touched" "$state/touched.old"

if [ "${#changed[@]}" -gt 0 ] || [ ! -e "$state/changed" ]; then
	# The kernel is not built again for its tests or documentation.
	if [ ! -e "$state/changed" ] ||
		printf '%s\n' "${changed[@]}" | grep -qv '^Documentation/\|^MAINTAINERS$\|^tools/'; then
		touch "$state/changed"
	fi
	if [ -n "$VANILLA" ]; then what=unpatched; else what="$(series_patches | wc -l) patches"; fi
	step 3 "series: $what, ${#changed[@]} files of the tree changed"
	[ "${#changed[@]}" -gt 8 ] || printf '      %s\n' "${changed[@]}" >&2
fi
