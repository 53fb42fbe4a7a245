// SPDX-License-Identifier: GPL-2.0
/*
 * A memory cgroup with a limit.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "freezer_check.h"
#include "memcg_util.h"

static bool memcg_was_off;

int memcg_setup(unsigned long limit, const char **what)
{
	char buf[256], text[32];
	int err;

	*what = "mount of cgroup2";
	mkdir(MEMCG_MNT, 0755);
	if (mount("none", MEMCG_MNT, "cgroup2", 0, NULL))
		return -errno;

	*what = "+memory";
	err = frz_read(MEMCG_MNT, "cgroup.subtree_control", buf, sizeof(buf));
	if (err < 0)
		return err;
	memcg_was_off = !strstr(buf, "memory");
	err = frz_write(MEMCG_MNT, "cgroup.subtree_control", "+memory");
	if (err)
		return err;

	/* left by a test that was killed */
	*what = MEMCG_DIR;
	rmdir(MEMCG_DIR);
	if (mkdir(MEMCG_DIR, 0755))
		return -errno;

	*what = "memory.max";
	snprintf(text, sizeof(text), "%lu", limit);
	err = frz_write(MEMCG_DIR, "memory.max", text);
	if (err)
		return err;

	/* not there without swap */
	frz_write(MEMCG_DIR, "memory.swap.max", "0");
	return 0;
}

int memcg_teardown(void)
{
	int err = 0;

	frz_until((err = rmdir(MEMCG_DIR) ? -errno : 0) != -EBUSY, FRZ_LIMIT);
	if (memcg_was_off)
		frz_write(MEMCG_MNT, "cgroup.subtree_control", "-memory");
	memcg_was_off = false;
	umount(MEMCG_MNT);
	rmdir(MEMCG_MNT);
	return err;
}
