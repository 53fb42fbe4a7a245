// SPDX-License-Identifier: GPL-2.0
/*
 * What the tests of the checkpoint guard share.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "checkpoint_util.h"
#include "freezer_util.h"

void guard_path(char path[FRZ_PATH_MAX + 64], const char *cg)
{
	snprintf(path, FRZ_PATH_MAX + 64, "%s/freezer.checkpoint", cg);
}

int guard_open_flags(const char *cg, int flags)
{
	char path[FRZ_PATH_MAX + 64];
	int fd;

	guard_path(path, cg);
	fd = open(path, O_RDWR | flags);
	return fd < 0 ? -errno : fd;
}

int guard_open(const char *cg)
{
	return guard_open_flags(cg, 0);
}

const char *guard_verdict(int fd)
{
	static char buf[64];
	ssize_t n;

	n = pread(fd, buf, sizeof(buf) - 1, 0);
	if (n < 0)
		return strerror(errno);
	if (n && buf[n - 1] == '\n')
		n--;
	buf[n] = 0;
	return buf;
}

int64_t not_quiescent(const char *cg)
{
	return frz_stat(cg, "nr_tasks") - frz_stat(cg, "nr_parked") -
	       frz_stat(cg, "nr_in_place");
}
