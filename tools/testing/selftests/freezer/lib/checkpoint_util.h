/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the checkpoint guard share.
 */
#ifndef CHECKPOINT_UTIL_H
#define CHECKPOINT_UTIL_H

#include "freezer_util.h"

struct holder {
	char path[FRZ_PATH_MAX];
	unsigned long word;
	pid_t pid;
	int result;
};

void guard_path(char path[FRZ_PATH_MAX + 64], const char *cg);

/* Take the guard: a descriptor, or -errno. */
int guard_open(const char *cg);
int guard_open_flags(const char *cg, int flags);

/* What the holder reads, or why it cannot. */
const char *guard_verdict(int fd);

/* How many tasks of @cg are neither parked nor frozen in place. */
int64_t not_quiescent(const char *cg);

/* With what is in the way in the report; for a test with freezer_test.h. */
#define ASSERT_GUARD(path) ({ \
	const char *__path = (path); \
	int __fd = guard_open(__path); \
	\
	ASSERT_LE(0, __fd) { \
		TH_LOG("%s: %s", strerror(-__fd), frz_describe(__path)); \
	} \
	__fd; \
})

#endif /* CHECKPOINT_UTIL_H */
