/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of snapshots share: who thaws meanwhile, and how many times.
 *
 * The group that is looked at is a bank, see snapshot_bank.h.
 */
#ifndef SNAPSHOT_TEST_H
#define SNAPSHOT_TEST_H

#include <sys/wait.h>

#include "checkpoint_test.h"

/* A limit for the long run; the runner's is shorter. */
#define SNAPSHOT_TEST(name) TEST_F_TIMEOUT(freezer, name, 3600)

/* The last argument of the program that is a number, or @num. */
static inline unsigned long number_argument(unsigned long num)
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

struct adversary {
	char		path[FRZ_PATH_MAX];
	unsigned long	thaws;		/* that took place */
	unsigned long	refused;	/* with EBUSY */
	unsigned long	errors;		/* with anything else */
	bool		freezes;	/* again afterwards, and oftener */
	pid_t		pid;
};

/*
 * Thaws now and then, so that some freezes are withdrawn, and all the time once
 * it is refused. Or thaws and freezes again, all the time.
 */
static inline int thaw_for_ever(void *arg)
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

static inline struct adversary *start_adversary(const char *path,
						bool freezes)
{
	struct adversary *adversary = frz_shared(sizeof(*adversary));

	if (!adversary)
		return NULL;
	snprintf(adversary->path, sizeof(adversary->path), "%s", path);
	adversary->freezes = freezes;
	adversary->pid = frz_spawn(NULL, thaw_for_ever, adversary);
	return adversary->pid < 0 ? NULL : adversary;
}

static inline void stop_adversary(struct adversary *adversary)
{
	kill(adversary->pid, SIGKILL);
	frz_wait_exit(adversary->pid, FRZ_LIMIT);
}

#endif /* SNAPSHOT_TEST_H */
