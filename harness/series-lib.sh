# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
#
# The series: what the mails of patches/ say and how they are put on a tree. Sourced by apply.sh,
# series.sh, check.sh and others.
#
# patches/NAME.patch is the mail of a patch, for all bases; patches/BASE/NAME.patch is what differs
# on BASE. CONTRIBUTING.md, "The patches", has the layout. A script that sources this finds the
# complete mails of BASE, and their list, in SERIES.
#
# A mail that brings in new files of this repository names them with lines "New-file: path" below
# its "---"; "New-file: dir/" stands for every file that git tracks below dir. "Removed-file: path"
# there takes a file of the kernel away. Where the kernel has a file of the path of a new one, ours
# takes its place. Neither quotes the file of the kernel.

mails() { "$TOP/harness/mails.pl" "$@"; }

# compose_mails BASE DIR: the mails of BASE. A directory that is right already is left alone:
# somebody may be reading it.
compose_mails() {
	local file
	mkdir -p "$(dirname "$2")"
	(
		flock 8
		rm -rf "$2.new"
		mkdir "$2.new"
		mails compose "$PATCHES" "$1" "$2.new" || exit
		for file in "$PATCHES/$1"/cover-letter-*; do
			[ ! -f "$file" ] || cp "$file" "$2.new/"
		done
		if diff -rq "$2.new" "$2" >/dev/null 2>&1; then
			rm -rf "$2.new"
		else
			rm -rf "$2"
			mv "$2.new" "$2"
		fi
	) 8>"$2.lock" || die "the series of $1 cannot be put together; see patches/"
}
compose_mails "$BASE" "$SERIES"

# Directories of the repository whose files are files of the kernel
readonly KERNEL_DIRS='Documentation arch block drivers fs include init io_uring ipc kernel lib mm
net samples scripts security tools virt'

series_patches() {
	[ ! -f "$SERIES/series" ] ||
		sed -e 's/#.*//' -e 's/[[:space:]]*$//' -e '/^$/d' "$SERIES/series" |
		sed "${SERIES_STEPS:-\$}q"
}

# touched_files PATCH: the existing files that its hunks change
touched_files() {
	sed -n -E 's,^diff --git a/(.*) b/.*$,\1,p; s,^rename to (.*)$,\1,p' "$1"
	removed_files_of "$1"
}

# replaced_files_of PATCH: the paths at which its new files may take the place of the kernel's files
replaced_files_of() { sed -n 's,^New-file: *\(.*[^/]\)$,\1,p' "$1"; }

removed_files_of() { sed -n 's/^Removed-file: *//p' "$1"; }

has_hunks() { grep -q '^diff --git ' "$1"; }

# list_below DIR: the files of the repository below DIR, as git knows them
list_below() {
	if [ -e "$TOP/.git" ] && command -v git >/dev/null; then
		git -C "$TOP" ls-files -- "$1"
	else
		(cd "$TOP" && find "$1" -type f 2>/dev/null | sort)
	fi | while read -r file; do
		[ ! -f "$TOP/$file" ] || echo "$file"
	done
}

# new_files_of PATCH: the new files that the mail names, one on a line
new_files_of() {
	local path
	sed -n 's/^New-file: *//p' "$1" | while read -r path; do
		case $path in
		*/) list_below "$path" ;;
		*) echo "$path" ;;
		esac
	done
}

# copy_new_files DIR: copies the files named on stdin
copy_new_files() {
	local file
	while read -r file; do
		[ -f "$TOP/$file" ] || die "New-file: $file: not in the repository"
		mkdir -p "$1/$(dirname "$file")"
		cp --preserve=mode "$TOP/$file" "$1/$file"
	done
}

# stage_pristine DIR: the pristine versions of the files that the series changes; prints their names
stage_pristine() {
	local patch file
	{
		for patch in $(series_patches); do
			touched_files "$SERIES/$patch"
			replaced_files_of "$SERIES/$patch"
		done
		[ -z "${INJECT:-}" ] || touched_files "$TOP/harness/inject/$INJECT.patch"
	} | sort -u | while read -r file; do
		echo "$file"
		[ -f "$SRC/$file" ] || continue
		mkdir -p "$1/$(dirname "$file")"
		cp --preserve=mode "$SRC/$file" "$1/$file"
	done
}

# apply_hunks DIR PATCH. Not as part of the git repository that out/ lies in.
apply_hunks() {
	has_hunks "$2" || return 0
	(cd "$1" && GIT_CEILING_DIRECTORIES=$(cd "$1/.." && pwd) \
		git apply --whitespace=nowarn "$2") 2>"$1.errors"
}

# mail_files PATCH: the files of patches/ that it is made of on BASE
mail_files() {
	local file
	printf 'patches/%s' "$1"
	file=$PATCHES/$BASE/$1
	[ ! -f "$file" ] || printf ' and patches/%s/%s' "$BASE" "$1"
}

conflict() {
	case $1 in
	*/*) say "$1 does not apply:" ;;
	*) say "$(mail_files "$1"): does not apply on $BASE:" ;;
	esac
	sed 's/^/      /' "$2.errors" >&2
	[ -z "$LINUX" ] || say "(if $LINUX holds the series already, VANILLA=1 builds it as it is)"
	case $1 in
	*/*) say "next:  mend $1" ;;
	*) say "next:  make edit BASE=$BASE${LINUX:+ LINUX=$LINUX}" ;;
	esac
	exit "$E_SETUP"
}

# unnamed_files: files of the repository at the kernel's paths that no patch of the series brings in
unnamed_files() {
	local patch place
	for place in $KERNEL_DIRS; do
		[ ! -d "$TOP/$place" ] || list_below "$place"
	done | sort | comm -23 - <(
		for patch in $(series_patches); do new_files_of "$SERIES/$patch"; done | sort -u)
}
