// SPDX-License-Identifier: GPL-2.0
/*
 * How the controllers are mounted, for the tests of the signal controller.
 */
#include <errno.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freezer_check.h"
#include "signal_util.h"

#define SGN_DIR		"/tmp/signal_selftest"

struct sgn_mount sgn_before[4];
static const struct sgn_mount sgn_both[] = {
	{ SGN_DIR, "freezer,signal" }, { "", NULL },
};

static bool sgn_mounted;

bool sgn_present(void)
{
	char line[256];
	bool found = false;
	FILE *f = fopen("/proc/cgroups", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "signal\t", 7);
	if (f)
		fclose(f);
	return found;
}

static void sgn_umount(const struct sgn_mount *m)
{
	for (; m->options; m++)
		umount(m->dir);
}

static int sgn_mount(const struct sgn_mount *m)
{
	for (; m->options; m++) {
		mkdir(m->dir, 0755);
		if (mount("cgroup", m->dir, "cgroup", 0, m->options))
			return -errno;
	}
	return 0;
}

int sgn_remount(const struct sgn_mount *from, const struct sgn_mount *to)
{
	int i, err = -EBUSY;

	for (i = 0; err && i < 2000; i++) {
		sgn_umount(from);
		err = sgn_mount(to);
		if (err) {
			sgn_umount(to);
			sgn_mount(from);
			frz_sleep_ms(1);
		}
	}
	return err;
}

bool sgn_find(struct sgn_mount before[4])
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *ent;
	bool both = false;
	int num = 0;

	while (f && num < 3 && (ent = getmntent(f))) {
		bool freezer = hasmntopt(ent, "freezer");
		bool signal = hasmntopt(ent, "signal");

		if (strcmp(ent->mnt_type, "cgroup") || (!freezer && !signal))
			continue;
		both |= freezer && signal;
		snprintf(before[num].dir, FRZ_PATH_MAX, "%s", ent->mnt_dir);
		before[num++].options = freezer && signal ? "freezer,signal" :
					freezer ? "freezer" : "signal";
	}
	before[num].options = NULL;
	if (f)
		endmntent(f);
	return both;
}

void sgn_begin(void)
{
	if (sgn_present() && !sgn_find(sgn_before))
		sgn_mounted = !sgn_remount(sgn_before, sgn_both);
}

/* With a priority: after the library has removed the cgroups. */
__attribute__((destructor(200))) static void sgn_end(void)
{
	if (frz_is_main() && sgn_mounted)
		sgn_remount(sgn_both, sgn_before);
}

int sgn_send(const char *path, const char *text)
{
	return frz_write(path, "signal.kill", text);
}

int sgn_tasks(const char *path)
{
	static pid_t list[8192];

	return frz_list(path, "tasks", list, 8192);
}

int sgn_wait_empty(const char *path, int timeout_ms)
{
	int num;

	frz_until((num = sgn_tasks(path)) <= 0, timeout_ms);
	return num;
}
