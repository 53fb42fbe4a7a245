#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# fetch.sh: get the kernel source of BASE, Debian's package linux-source-BASE, and unpack it once to
# out/src/BASE. The tarball in /usr/src is used when it is there. With LINUX= the source is a copy
# of that tree instead, brought up to date each time.
#
#   MIRROR=URL   the mirror of Debian for suites that this machine is not set up for (default: that
#                of its own apt sources); "URL URL-security" if security updates are needed, too

. "$(dirname "$0")/lib.sh"

package=linux-source-$BASE
tarball=/usr/src/$package.tar.xz

mkdir -p "$OUT/src"
take_lock "$OUT/src/.lock"

if [ -n "$LINUX" ]; then
	step 2 "source: a copy of $LINUX"
	mkdir -p "$SRC"
	# What a build leaves behind stays behind.
	changed=$(rsync -a --delete --out-format='%n' \
		--exclude-from="$TOP/harness/build-artefacts" "$LINUX/" "$SRC/") ||
		die "could not copy $LINUX"
	if [ -n "$changed" ] || [ ! -e "$SRC.stamp" ]; then
		touch "$SRC.stamp"
		# For apply.sh, which has a tree or more of it
		for state in "$OUT/tree/$SRC_NAME"*.d; do
			[ ! -d "$state" ] ||
				printf "%s\n" "${changed//deleting /}" >>"$state/upstream"
		done
	fi
	exit 0
fi

# system_apt: the package from the suites that this machine is set up for. Root installs it, anybody
# else unpacks it.
system_apt() {
	if [ "$(id -u)" = 0 ]; then
		apt-cache show "$package" >/dev/null 2>&1 || apt-get update || return 1
		DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$package"
	else
		apt-cache show "$package" >/dev/null 2>&1 && download
	fi
}

# download APT-OPTIONS...: the package into out/, and its tarball out of it
download() {
	local dir=$OUT/dl
	mkdir -p "$dir"
	(cd "$dir" && apt-get "$@" download "$package") || return 1
	dpkg-deb --show "$dir/$package"_*.deb | tr '\t' ' ' >"$dir/$package.version"
	dpkg-deb --fsys-tarfile "$dir/$package"_*.deb |
		tar -xO "./usr/src/$package.tar.xz" >"$dir/$package.tar.xz.new" || return 1
	rm "$dir/$package"_*.deb
	mv "$dir/$package.tar.xz.new" "$dir/$package.tar.xz"
	tarball=$dir/$package.tar.xz
}

# isolated_apt SUITES...: an apt of its own below out/, with these suites and nothing of the
# machine's but its mirrors, its keys and its proxies. Adds no suite to the machine and needs no
# root. Only what is signed with Debian's keys is taken, whatever the mirror or the machine says.
isolated_apt() {
	local apt=$OUT/apt keyring=/usr/share/keyrings/debian-archive-keyring.gpg
	local options suite uri main security from
	if [ ! -f "$keyring" ]; then
		echo "there is no $keyring; next:  apt-get install debian-archive-keyring"
		return 1
	fi
	mapfile -t main < <(mirrors main)
	mapfile -t security < <(mirrors security)
	if [ "${#main[@]}" = 0 ]; then
		echo "no apt source of this machine is a Debian mirror, from which to get $*"
		echo "next:  make ... MIRROR=URL, the one of a line \"deb URL bookworm main\""
		return 1
	fi
	mkdir -p "$apt/lists/partial" "$apt/archives/partial" "$apt/empty"
	options=(-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts="$apt/empty"
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts="$apt/empty"
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt"
		-o Dir::Cache::Archives="$apt/archives" -o APT::Sandbox::User=""
		-o APT::Get::AllowUnauthenticated=false -o Acquire::AllowInsecureRepositories=false
		-o Acquire::AllowWeakRepositories=false
		-o Acquire::AllowDowngradeToInsecureRepositories=false)
	for uri in "${main[@]}"; do
		for suite; do
			from=$uri
			[[ $suite != *-security ]] || from=${security[0]:-}
			if [ -n "$from" ]; then
				echo "deb [signed-by=$keyring] $from $suite main"
			else
				echo "this machine has no security updates: without $suite" >&2
			fi
		done >"$apt/sources.list"
		echo "from $uri:"
		if apt-get "${options[@]}" update && download "${options[@]}"; then return; fi
	done
	echo "not from ${main[*]} either; next:  make ... MIRROR=URL, another mirror of Debian"
	return 1
}

get() {
	case $BASE in
	7.*) isolated_apt trixie-backports ;;
	*) system_apt || isolated_apt bookworm bookworm-security ;;
	esac
}

[ -f "$tarball" ] || [ ! -f "$OUT/dl/$package.tar.xz" ] || tarball=$OUT/dl/$package.tar.xz
if [ ! -f "$tarball" ]; then
	step 2 "source: fetching the package $package"
	log=$OUT/fetch.log
	if ! get >"$log" 2>&1 || [ ! -f "$tarball" ]; then
		tail -n 5 "$log" >&2
		say "the package $package is not to be had here, log: $(rel "$log")"
		die "with a tree of your own:  make ... BASE=$BASE LINUX=/path/to/linux"
	fi
fi

# Unpacked before, from this very tarball?
id=$(stat -Lc '%s %Y' "$tarball")
if [ -d "$SRC" ] && [ "$(cat "$SRC.stamp" 2>/dev/null)" = "$id" ]; then
	exit 0
fi
step 2 "source: unpacking $tarball"
rm -rf "$SRC" "$SRC.new" "$SRC.stamp"
mkdir "$SRC.new"
tar -xJf "$tarball" -C "$SRC.new" --strip-components=1 || die "could not unpack $tarball"
mv "$SRC.new" "$SRC"
if [ "$tarball" = "$OUT/dl/$package.tar.xz" ]; then
	cp "$OUT/dl/$package.version" "$SRC.version"
else
	{ dpkg-query -W "$package" 2>/dev/null || echo "$package"; } | tr '\t' ' ' >"$SRC.version"
fi
echo "$id" >"$SRC.stamp"
