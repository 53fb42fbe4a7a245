/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How the freezer and the signal controller are mounted, and what the tests of
 * the latter share.
 */
#ifndef SIGNAL_UTIL_H
#define SIGNAL_UTIL_H

#include <stdbool.h>

#include "freezer_util.h"

struct sgn_mount {
	char dir[FRZ_PATH_MAX];
	const char *options;
};

/* How they were mounted at first. Lists end with an entry without options. */
extern struct sgn_mount sgn_before[4];

/* Whether the kernel has the controller: a line of /proc/cgroups. */
bool sgn_present(void);

/*
 * Mount the controllers in another way. A hierarchy goes when it is unmounted
 * and has no cgroup, and a cgroup that was removed just now still counts; such a
 * hierarchy has to be mounted and unmounted once more.
 */
int sgn_remount(const struct sgn_mount *from, const struct sgn_mount *to);

/* How the two are mounted now; true if it is together. */
bool sgn_find(struct sgn_mount before[4]);

/* Make one hierarchy out of those that there are, unless there is one. */
void sgn_begin(void);

/* A write to signal.kill. */
int sgn_send(const char *path, const char *text);

/* The number of tasks in @path, and wait for a number. */
int sgn_tasks(const char *path);
int sgn_wait_empty(const char *path, int timeout_ms);

#endif /* SIGNAL_UTIL_H */
