/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the freezer tests: one fresh cgroup per test,
 *
 *	<root of the hierarchy>
 *	 `- selftest_<program>		self->cg
 *
 * and the checks that most of them make. What a test puts below self->cg is
 * thawed, killed and removed when it ends; the remains of a test that was
 * killed are removed before the next one begins.
 */
#ifndef FREEZER_TEST_H
#define FREEZER_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <time.h>

/* It casts what it prints, a pointer as well, to a number of 64 bits. */
#pragma GCC diagnostic ignored "-Wpointer-to-int-cast"
#include "../../kselftest_harness.h"
#include "freezer_check.h"
#include "freezer_v2.h"

FIXTURE(freezer) {
	char cg[FRZ_PATH_MAX];
};

/*
 * For a FIXTURE_SETUP() and a FIXTURE_TEARDOWN(). No block after EXPECT_*: after
 * a failed ASSERT_* it always runs.
 */
#define FRZ_GROUP_MAKE(cg) do { \
	int __err = frz_group_make(cg); \
	\
	if (__err == -ENODEV) \
		SKIP(return, "the kernel has no cgroup v1 freezer"); \
	ASSERT_EQ(0, __err); \
} while (0)

#define FRZ_GROUP_END(cg) do { \
	const char *__cg = (cg); \
	int __err = frz_group_end(__cg); \
	\
	EXPECT_EQ(0, __err); \
	if (__err) \
		TH_LOG("%s does not go away, tasks: %s", __cg, \
		       frz_content(__cg, "tasks")); \
} while (0)

/* A program may have no other tests than those with a fixture of its own. */
FIXTURE_SETUP(freezer) __attribute__((unused));
FIXTURE_TEARDOWN(freezer) __attribute__((unused));

FIXTURE_SETUP(freezer)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(freezer)
{
	FRZ_GROUP_END(self->cg);
}

/* A test with the fixture; the limit leaves room for two that ran out. */
#define FREEZER_TEST(name) TEST_F_TIMEOUT(freezer, name, 90)

/* One of many rounds, which add up to minutes with lockdep and KASAN. */
#define FREEZER_LONG_TEST(name) TEST_F_TIMEOUT(freezer, name, 300)

#define EXPECT_FILE(path, file, content) \
	EXPECT_STREQ(content, frz_content(path, file))

#define EXPECT_BECOMES_FILE(path, file, content) \
	EXPECT_STREQ("", becomes_content(path, file, content))

#define EXPECT_STATE(path, state) EXPECT_FILE(path, "freezer.state", state)
#define ASSERT_STATE(path, state) \
	ASSERT_STREQ(state, frz_content(path, "freezer.state"))

/* A key of freezer.stat, the lines of freezer.blockers; see frz_or_missing(). */
#define EXPECT_STAT(want, path, key) do { \
	const char *__path = (path); \
	int64_t __want = (want); \
	\
	EXPECT_EQ(__want, frz_or_missing(__path, frz_stat(__path, key), __want)); \
} while (0)

#define EXPECT_BLOCKERS(want, path) do { \
	const char *__path = (path); \
	int64_t __want = (want); \
	\
	EXPECT_EQ(__want, frz_or_missing(__path, frz_blockers(__path), __want)); \
} while (0)

/* Reach a state, now or in time; other tests say what a write waits for. */
#define ASSERT_FREEZES(path) ASSERT_STREQ("", frz_freezes(path))
#define ASSERT_BECOMES(path, state) \
	ASSERT_STREQ("", frz_becomes(path, state, FRZ_FREEZE))
#define ASSERT_THAWS(path) ASSERT_STREQ("", frz_thaws(path))

/* A counter of a child stands still for a while, or goes on in time. */
#define EXPECT_STANDS(word) EXPECT_EQ(0, frz_moved(word, FRZ_WATCH))
#define EXPECT_RUNS(word) EXPECT_EQ(0, frz_wait_move(word, FRZ_LIMIT))

#define ASSERT_PID(expr) ({ \
	pid_t __pid = (expr); \
	\
	ASSERT_LT(0, __pid); \
	__pid; \
})

#define ASSERT_SPINNER(path, word) ASSERT_PID(frz_spinner(path, word))
#define ASSERT_SLEEPER(path, word) ASSERT_PID(frz_sleeper(path, word))
#define ASSERT_BUSY(path, busy) ASSERT_PID(frz_busy_one(path, busy))

/* Shared words, zero at first. */
#define ASSERT_WORDS(num) ({ \
	unsigned long *__w = frz_shared((num) * sizeof(unsigned long)); \
	\
	ASSERT_NE(NULL, __w); \
	__w; \
})

#endif /* FREEZER_TEST_H */
