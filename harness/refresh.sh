#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# refresh.sh: make refresh. Writes patches/ anew from the branch series of out/edit-BASE, and the
# new files of this repository from the commits that bring them in.
#
# The mail of a patch is that of the first base that has it. So with the main base the hunks that
# the others share change there, too, and the others are looked at: those that still apply are
# written anew, which changes no more than line numbers and what has become the same. With another
# base only what differs there changes; of its messages only those that are different already, or
# all that have changed with MESSAGE=1.

export ANY_BASE=1
. "$(dirname "$0")/lib.sh"
. "$TOP/harness/series-lib.sh"
. "$TOP/harness/edit-lib.sh"

repo=$OUT/edit-$BASE
work=$OUT/refresh-work
new=$work/patches
state=$repo/.git/freezer
base_source=$SRC base_name=$BASE
edit="make edit BASE=$BASE${LINUX:+ LINUX=$LINUX}"
take_lock "$OUT/edit.lock"
[ -d "$state" ] || die "there is no $(rel "$repo"). next:  $edit"
[ "$(<"$state/source")" = "$SRC_NAME" ] ||
	die "$(rel "$repo") is of $(<"$state/source"), not of $SRC_NAME"
[ ! -s "$state/todo" ] || die "$(wc -l <"$state/todo") patches are still to do in $(rel "$repo").
next:  $edit CONTINUE=1"
if [ -d "$repo/.git/rebase-merge" ] || [ -d "$repo/.git/rebase-apply" ]; then
	die "$(rel "$repo") is in the middle of a rebase. next:  git rebase --continue there"
fi
[ -z "$(git -C "$repo" status --porcelain --untracked-files=no)" ] ||
	die "$(rel "$repo") has changes that are not committed. next:  git commit there"
quiet_git

rm -rf "$work"
mkdir -p "$work/old"
cp -a "$PATCHES" "$new"
for base in $(series_bases); do compose_mails "$base" "$work/old/$base"; done

mails_as_before "${edit/edit/refresh}"

# A file of the kernel that no patch touched before is not a new one.
git -C "$repo" diff --no-renames --name-only --diff-filter=A base series | sort |
	comm -23 - <(cut -d' ' -f3- "$state/own" | sort) | while read -r file; do
		[ ! -f "$SRC/$file" ] || echo "$file"
	done >"$work/more"
if [ -s "$work/more" ]; then widen "$repo" "$work/more"; fi

write_full "$repo" "$work/full"
write_base "$BASE" "$repo" "$work/full" "$new"
stale_untouched "$new"

# verified BASE REPO: the mails of the base, as they are now, make the trees of the branch
verified() {
	PATCHES=$new compose_mails "$1" "$work/composed/$1"
	verify_base "$2" "$work/composed/$1" ||
		die "BASE=$1 would come out otherwise than the branch; patches/ stays as it was"
}
verified "$BASE" "$repo"

# The new files of the repository: those that are others on the branch than they were at make edit
cat "$work/full"/*.own | sort -k 3 >"$work/own"
own_state "$work/full" | sort -k 3 >"$work/own.here"
sort -k 3 "$state/own" >"$work/own.before"
comm -23 <(sort "$work/own") <(sort "$work/own.before") >"$work/own.write"
cut -d' ' -f3- "$work/own.write" | while read -r file; do
	here=$(awk -v file="$file" '$3 == file' "$work/own.here")
	[ "$here" = "$(awk -v file="$file" '$3 == file' "$work/own.before")" ] ||
		[ "$here" = "$(awk -v file="$file" '$3 == file' "$work/own")" ] ||
		die "$file has changed here, too, since make edit.
next:  commit that here, $edit FORCE=1, and bring your changes of the branch over"
done
comm -23 <(cut -d' ' -f3- "$work/own.before" | sort) <(cut -d' ' -f3- "$work/own" | sort) |
	while read -r file; do
		if [ ! -f "$TOP/$file" ]; then
			continue
		elif [ -n "$(PATCHES=$work/full who_names "$file")" ]; then
			echo "$file"
		elif [ -z "$(PATCHES=$new who_names "$file")" ]; then
			say "no patch brings in $file any more. next:  git rm $file"
		fi
	done >"$work/own.remove"

# They are written now, for the other bases have the same
while read -r object mode file; do
	mkdir -p "$(dirname "$TOP/$file")"
	git -C "$repo" cat-file blob "$object" >"$TOP/$file"
	if [ "$mode" = 100755 ]; then chmod +x "$TOP/$file"; else chmod -x "$TOP/$file"; fi
	# Below a line "New-file: dir/" counts what git tracks.
	[ ! -e "$TOP/.git" ] || git -C "$TOP" ls-files --error-unmatch -- "$file" >/dev/null 2>&1 ||
		git -C "$TOP" add -N -- "$file"
	echo "$file"
done <"$work/own.write" >"$work/written"
(cd "$TOP" && xargs -r -d '\n' rm -f --) <"$work/own.remove"
sed 's/$/ (removed)/' "$work/own.remove" >>"$work/written"

# The other bases: what the mails say there now
others=
if ! diff -rq -x "$BASE" "$PATCHES" "$new" >/dev/null; then
	others=$(PATCHES=$new series_bases)
fi
todo=()
for base in $others; do
	[ "$base" != "$base_name" ] || continue
	BASE=$base SRC=$OUT/src/$base SERIES=$work/now/$base
	if [ ! -f "$SRC/Kbuild" ]; then
		say "$base was not looked at, for its source is not there"
		todo+=("$base")
		continue
	fi
	PATCHES=$new compose_mails "$base" "$SERIES"
	if ! build_branch "$work/$base" "$base" "$SERIES"; then
		say "$(PATCHES=$new mail_files "$failed_patch") does not apply on $base any more:"
		sed 's/^/      /' "$work/$base.errors" >&2
		todo+=("$base")
		continue
	fi
	write_full "$work/$base" "$work/full-$base"
	rm -rf "$work/old/$base"
	cp -r "$SERIES" "$work/old/$base"
	write_base "$base" "$work/$base" "$work/full-$base" "$new"
	verified "$base" "$work/$base"
done
BASE=$base_name SRC=$base_source

comm -3 <(mails_of_main "$PATCHES" | sort) <(mails_of_main "$new" | sort) | tr -d '\t' \
	>"$work/moved"
# What has changed for BASE, and another base has its own version of
for name in $(cd "$new" && ls -- *.patch); do
	if [ ! -f "$PATCHES/$name" ] || cmp -s "$PATCHES/$name" "$new/$name"; then continue; fi
	! grep -q "^$name " "$work/moved" || continue
	for base in $others; do
		[ -f "$new/$base/$name" ] || continue
		for path in $(mails names "$new/$base/$name" diff); do
			[ "$(changed_lines "$PATCHES/$name" "$path")" = \
				"$(changed_lines "$new/$name" "$path")" ] || {
				say "patches/$base/$name has its own diff of $path:" \
					"does it want that change?"
				[[ " ${todo[*]} " == *" $base "* ]] || todo+=("$base")
			}
		done
		[ "$(message_of "$PATCHES/$name")" = "$(message_of "$new/$name")" ] ||
			[ -z "$(message_of "$new/$base/$name")" ] ||
			say "patches/$base/$name has its own message: does it want that change?"
	done
done

# All is known to be right
rsync -rc --delete --out-format='patches/%n' "$new/" "$PATCHES/" |
	sed -e 's/^\(patches\/\)\?deleting \(.*\)/patches\/\2 (removed)/' -e '/\/$/d' \
		>>"$work/written"
if [ -s "$work/written" ]; then
	sed 's/^/      /' "$work/written"
else
	echo "nothing has changed"
fi

git -C "$repo" tag -f refreshed series >/dev/null
compose_mails "$BASE" "$OUT/series-composed/$BASE"
rm -rf "$state/mails"
cp -r "$OUT/series-composed/$BASE" "$state/mails"
echo "$BASE" >"$state/from"
: >"$state/merged"
cp "$work/own" "$state/own"
for base in "${todo[@]}"; do say "next:  make edit BASE=$base"; done
[ "${#todo[@]}" -gt 0 ] || say "patches/ is up to date, for all bases; next:  git diff patches"
