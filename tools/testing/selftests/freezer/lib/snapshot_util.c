// SPDX-License-Identifier: GPL-2.0
/*
 * An adversary of snapshots, and how many to take.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "freezer_check.h"
#include "snapshot_util.h"

unsigned long number_argument(unsigned long num)
{
	char buf[4096], *arg, *end;
	unsigned long n;
	ssize_t len;
	int fd;

	fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = 0;
	for (arg = buf; arg < buf + len; arg += strlen(arg) + 1) {
		n = strtoul(arg, &end, 10);
		if (end != arg && !*end && n)
			num = n;
	}
	return num;
}

static int thaw_for_ever(void *arg)
{
	struct adversary *adversary = arg;
	unsigned int i;

	for (i = 1;; i++) {
		int err = frz_thaw(adversary->path);

		if (!err)
			frz_inc(&adversary->thaws);
		else if (err == -EBUSY)
			frz_inc(&adversary->refused);
		else
			frz_inc(&adversary->errors);
		frz_sleep_ms(1);
		if (adversary->freezes)
			frz_freeze(adversary->path);
		else if (!err)
			frz_sleep_ms(20 + i * 37 % 160);
	}
	return 0;
}

struct adversary *start_adversary(const char *path, bool freezes)
{
	struct adversary *adversary = frz_shared(sizeof(*adversary));

	if (!adversary)
		return NULL;
	snprintf(adversary->path, sizeof(adversary->path), "%s", path);
	adversary->freezes = freezes;
	adversary->pid = frz_spawn(NULL, thaw_for_ever, adversary);
	return adversary->pid < 0 ? NULL : adversary;
}

void stop_adversary(struct adversary *adversary)
{
	kill(adversary->pid, SIGKILL);
	frz_wait_exit(adversary->pid, FRZ_LIMIT);
}
