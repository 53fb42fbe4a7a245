/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the freezer tests: one fresh cgroup per test,
 *
 *	<root of the hierarchy>
 *	 `- selftest_<program>		self->cg
 *
 * and the checks that most of them make. What a test puts below self->cg is
 * thawed, killed and removed when it ends; what a test that was killed left
 * behind is removed before the next one begins.
 */
#ifndef FREEZER_TEST_H
#define FREEZER_TEST_H

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sched.h>
#include <time.h>

#include "../kselftest_harness.h"
#include "freezer_util.h"
#include "freezer_v2.h"

/*
 * Limits, not expectations: how long a test waits for what must come. Large,
 * for an emulated machine with lockdep and KASAN; the freezer's own time limit
 * (10 s unless changed) ends most waits earlier.
 */
#define FRZ_LIMIT	20000
#define FRZ_FREEZE	12000

/* Limits for what comes at once or never: a state after a write, a notice. */
#define FRZ_AT_ONCE	4000

/* For how long a test looks at what must not move. */
#define FRZ_WATCH	30

/*
 * The functions below return text for EXPECT_STREQ(): a report then shows what
 * was seen. The buffers are good for one check.
 */

/* The content of a file, or why it cannot be read. */
static inline const char *frz_content(const char *path, const char *file)
{
	static char buf[8192];
	int err = frz_read(path, file, buf, sizeof(buf));

	if (err)
		snprintf(buf, sizeof(buf), "%s: %s", file, strerror(-err));
	return buf;
}

/* What a kill of a frozen task does: end it now, or at the thaw. */
static inline bool frz_killable(const char *path)
{
	return !strcmp(frz_content(path, "freezer.killable"), "1");
}

FIXTURE(freezer) {
	char cg[FRZ_PATH_MAX];
};

static pid_t frz_main;

static inline void frz_test_name(char *name, size_t size)
{
	snprintf(name, size, "selftest_%s", program_invocation_short_name);
}

__attribute__((constructor)) static void frz_begin(void)
{
	frz_main = getpid();
}

/* The last test may have been killed, too. */
__attribute__((destructor)) static void frz_end(void)
{
	char path[FRZ_PATH_MAX + 64], name[64];

	if (getpid() != frz_main || frz_setup())
		return;
	frz_test_name(name, sizeof(name));
	snprintf(path, sizeof(path), "%s/%s", frz_root(), name);
	frz_destroy(path, FRZ_LIMIT);
}

FIXTURE_SETUP(freezer)
{
	char name[64];
	int err;

	err = frz_setup();
	if (err == -ENODEV)
		SKIP(return, "the kernel has no cgroup v1 freezer");
	ASSERT_EQ(0, err);
	frz_test_name(name, sizeof(name));
	err = frz_create(self->cg, NULL, name);
	if (err == -EEXIST) {
		ASSERT_EQ(0, frz_destroy(self->cg, FRZ_LIMIT));
		err = frz_create(self->cg, NULL, name);
	}
	ASSERT_EQ(0, err);
}

FIXTURE_TEARDOWN(freezer)
{
	int err = frz_destroy(self->cg, FRZ_LIMIT);

	/* No block after EXPECT_*: after a failed ASSERT_* it always runs. */
	EXPECT_EQ(0, err);
	if (err)
		TH_LOG("%s does not go away, tasks: %s", self->cg,
		       frz_content(self->cg, "tasks"));
}

/* A test with the fixture; the limit leaves room for two that ran out. */
#define FREEZER_TEST(name) TEST_F_TIMEOUT(freezer, name, 90)

/* One of many rounds, which add up to minutes with lockdep and KASAN. */
#define FREEZER_LONG_TEST(name) TEST_F_TIMEOUT(freezer, name, 300)

/* State and blockers in a line. */
static inline const char *frz_describe(const char *path)
{
	static char buf[1200];
	char state[64], who[1024];

	if (frz_read(path, "freezer.state", state, sizeof(state)))
		strcat(state, "no state");
	if (frz_read(path, "freezer.blockers", who, sizeof(who)))
		strcat(who, "no such file");
	snprintf(buf, sizeof(buf), "%s, blockers: '%s'", state, who);
	return buf;
}

/* Reach a state in time: "", or what is in the way. */
static inline const char *frz_becomes(const char *path, const char *state,
				      int timeout_ms)
{
	return frz_wait_state(path, state, timeout_ms) ?
	       frz_describe(path) : "";
}

static inline const char *frz_freezes(const char *path)
{
	int err = frz_freeze(path);

	return err == -EBUSY ? frz_describe(path) :
	       err ? strerror(-err) : frz_becomes(path, "FROZEN", FRZ_AT_ONCE);
}

/* THAWED, at the first look. */
static inline const char *frz_thaws(const char *path)
{
	int err = frz_thaw(path);

	return err ? strerror(-err) :
	       frz_state_is(path, "THAWED") == 1 ? "" : frz_describe(path);
}

#define EXPECT_FILE(path, file, content) \
	EXPECT_STREQ(content, frz_content(path, file))

#define EXPECT_STATE(path, state) EXPECT_FILE(path, "freezer.state", state)

/*
 * A number that cgroup v2 has no file for (freezer_v2.h): there it is taken for
 * what it should be.
 */
static inline int64_t frz_or_missing(const char *path, int64_t value,
				     int64_t want)
{
	return value == -ENOENT && frz_is_v2(path) ? want : value;
}

/* A key of freezer.stat, the lines of freezer.blockers */
#define EXPECT_STAT(want, path, key) \
	EXPECT_EQ(want, frz_or_missing(path, frz_stat(path, key), want))
#define EXPECT_BLOCKERS(want, path) \
	EXPECT_EQ(want, frz_or_missing(path, frz_blockers(path), want))

/* Reach a state, now or in time; other tests say what a write waits for. */
#define ASSERT_FREEZES(path) ASSERT_STREQ("", frz_freezes(path))
#define ASSERT_BECOMES(path, state) \
	ASSERT_STREQ("", frz_becomes(path, state, FRZ_FREEZE))
#define ASSERT_THAWS(path) ASSERT_STREQ("", frz_thaws(path))

/* A counter of a child stands still for a while, or goes on in time. */
#define EXPECT_STANDS(word) EXPECT_EQ(0, frz_moved(word, FRZ_WATCH))
#define EXPECT_RUNS(word) EXPECT_EQ(0, frz_wait_move(word, FRZ_LIMIT))

/* A process in @path that counts up @word in user mode, seen doing so. */
static inline pid_t frz_spinner(const char *path, unsigned long *word)
{
	pid_t pid = frz_spawn(path, frz_spin, word);
	int err = pid < 0 ? pid : frz_wait_move(word, FRZ_LIMIT);

	return err ? err : pid;
}

/* A process in @path that sleeps in pause(), seen asleep. */
static inline pid_t frz_sleeper(const char *path, unsigned long *word)
{
	unsigned long before = frz_load(word);
	pid_t pid = frz_spawn(path, frz_sleep, word);
	int err = pid < 0 ? pid : 0;

	if (!err)
		err = frz_wait_word(word, before + 1, FRZ_LIMIT);
	if (!err)
		err = frz_wait_asleep(pid, FRZ_LIMIT);
	return err ? err : pid;
}

/* A process in @path that is inside of one long call, see struct frz_busy. */
static inline pid_t frz_busy_one(const char *path, struct frz_busy *busy)
{
	pid_t pid = busy ? frz_spawn(path, frz_busy, busy) : -ENOMEM;
	int err = pid < 0 ? pid : frz_busy_wait(busy, FRZ_LIMIT);

	return err ? err : pid;
}

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
