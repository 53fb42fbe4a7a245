/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of snapshots share: who thaws meanwhile, and how many times.
 *
 * The group that is looked at is a bank, see snapshot_bank.h.
 */
#ifndef SNAPSHOT_UTIL_H
#define SNAPSHOT_UTIL_H

#include <stdbool.h>

#include "freezer_util.h"

/* A limit for the long run; the runner's is shorter. */
#define SNAPSHOT_TEST(name) TEST_F_TIMEOUT(freezer, name, 3600)

/* The last argument of the program that is a number, or @num. */
unsigned long number_argument(unsigned long num);

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
 * it is refused. Or (@freezes) thaws and freezes again, all the time.
 */
struct adversary *start_adversary(const char *path, bool freezes);
void stop_adversary(struct adversary *adversary);

#endif /* SNAPSHOT_UTIL_H */
