/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A memory cgroup with a limit, wherever the test runs: in a mount of cgroup v2
 * of its own. There is only one hierarchy, which may be mounted elsewhere, too,
 * and be in use: the controller is turned off again only if it was off.
 */
#ifndef MEMCG_UTIL_H
#define MEMCG_UTIL_H

#define MEMCG_MNT	"/tmp/freezer_selftest.cgroup2"
#define MEMCG_DIR	MEMCG_MNT "/freezer_selftest"

/* Returns 0, or -errno with the step that failed in *@what. */
int memcg_setup(unsigned long limit, const char **what);

/* Once its tasks are gone. Returns 0, or -errno if it could not be removed. */
int memcg_teardown(void);

#endif /* MEMCG_UTIL_H */
