/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Groups in cgroup v2. The functions of freezer_util.h take a path there as well,
 * and the names of the files of v1 with it:
 *
 *	freezer.state		written FROZEN: 1 into cgroup.freeze, then a wait
 *				for "frozen 1" in cgroup.events, by its events;
 *				EBUSY after 10 s. O_NONBLOCK: no wait
 *				written THAWED: 0 into cgroup.freeze
 *				read: FROZEN if "frozen 1"; else FREEZING if it
 *				or a cgroup above has 1 in cgroup.freeze; else
 *				THAWED
 *	freezer.self_freezing	cgroup.freeze
 *	freezer.parent_freezing	1 if a cgroup above has 1 in cgroup.freeze
 *	freezer.killable	reads 1, and takes anything: a kill never waits
 *	tasks			cgroup.threads
 *	events (frz_arm())	those of cgroup.events
 *	frz_stat()		nr_tasks: the lines of cgroup.threads, here and
 *				below, without kernel threads; frozen_usec: that
 *				of cgroup.stat.local
 *
 * The other files of v1 have no counterpart: ENOENT.
 *
 * The world "v2" of world.c has all groups of the tests there. In the world "both"
 * a path is one of v1 and has a twin in cgroup v2; a freeze asks v1 first and then
 * v2, a thaw the other way, and the state is that of both if they agree, and else
 * FREEZING.
 */
#ifndef FREEZER_V2_H
#define FREEZER_V2_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "freezer_util.h"

/* How long a task that is blocked is waited for (U3), and where that is said */
#define FRZ2_PATIENCE_FILE	"patience_ms"
#define FRZ2_PATIENCE_DIR	"/sys/module/cgroup_freezer/parameters"
#define FRZ2_PATIENCE_MS	1000

/* A write of FROZEN that waits ends after this time. */
#define FRZ2_LIMIT_MS		10000

/* An event that a kernel held back would come within this time. */
#define FRZ2_SETTLE_MS		60

/* In which hierarchies the groups of the tests are: the world says it. */
enum { FRZ_IN_V1 = 1, FRZ_IN_V2 = 2, FRZ_IN_BOTH = 3 };

int frz_hierarchies(void);

/* Find cgroup v2, or mount it on a private directory. */
int frz2_setup(void);
const char *frz2_root(void);

/* Whether @path is in cgroup v2; false before frz2_setup(). */
bool frz_is_v2(const char *path);

/* One write(2) of 1 or 0 into cgroup.freeze. */
int frz2_request(const char *path, int value);

/* The value of @key in a flat-keyed file, or -errno. */
int64_t frz2_key(const char *path, const char *file, const char *key);

/* "frozen" of cgroup.events: 0, 1 or -errno. */
static inline int frz2_frozen(const char *path)
{
	return frz2_key(path, "cgroup.events", "frozen");
}

/*
 * Wait by the events of cgroup.events until it says "frozen 1": 0, -EBUSY,
 * -ECANCELED if the cgroup's own request is gone, -ENODEV if the cgroup is,
 * -ENOMSG if "frozen" has changed and there was no event.
 */
int frz2_wait_frozen(const char *path, int timeout_ms);

/* frz_arm(), and what "populated" has to tell has been told. */
int frz2_arm_settled(const char *path);

/* What is in the parameter of the kernel, 1000 if there is none. */
int frz2_patience_ms(void);

/*
 * From now on cgroups of v2 are made such that single threads can be moved between
 * them (cgroup.type "threaded"); on v1 they always can.
 */
void frz_threads_apart(void);

/* For freezer_util.c */
const char *frz2_name(const char *file);
bool frz2_writes(const char *file);
int frz2_write(const char *path, const char *file, const char *text,
	       bool nonblock);
int frz2_read(const char *path, const char *file, char *buf, size_t size);
int64_t frz2_stat(const char *path, const char *key);
int frz2_created(const char *path);
bool frz2_is_threaded(const char *path);

#endif /* FREEZER_V2_H */
