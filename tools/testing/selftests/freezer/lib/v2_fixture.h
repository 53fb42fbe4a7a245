/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the tests of cgroup v2: one fresh cgroup per test,
 *
 *	<root of cgroup v2>
 *	 `- selftest_<program>		self->cg
 *
 * in each world, and checks of "frozen" and of the events of cgroup.events.
 */
#ifndef V2_FIXTURE_H
#define V2_FIXTURE_H

#include "freezer_test.h"

#define FREEZE		"cgroup.freeze"
#define EVENTS		"cgroup.events"

/* For a FIXTURE_SETUP(); FRZ_GROUP_END() ends it. */
#define V2_GROUP_MAKE(cg) do { \
	int __err = frz2_setup(); \
	\
	ASSERT_EQ(0, __err) { \
		TH_LOG("no cgroup v2: %s", strerror(-__err)); \
	} \
	ASSERT_EQ(0, frz_group_below(cg, frz2_root())); \
} while (0)

FIXTURE(v2) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_SETUP(v2)
{
	V2_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(v2)
{
	FRZ_GROUP_END(self->cg);
}

#define V2_TEST(name) TEST_F_TIMEOUT(v2, name, 90)

#define EXPECT_FROZEN(value, path) EXPECT_EQ(value, frz2_frozen(path))
#define ASSERT_FROZEN(value, path) ASSERT_EQ(value, frz2_frozen(path))
#define ASSERT_REQUEST(path, value) ASSERT_EQ(0, frz2_request(path, value))

/* Is there an event now, at the first look? Arms again. */
#define EXPECT_EVENT(fd) EXPECT_EQ(0, frz_wait_event(fd, 0))
#define EXPECT_NO_EVENT(fd) \
	EXPECT_EQ(-ETIMEDOUT, frz_wait_event(fd, FRZ2_SETTLE_MS))

#define ASSERT_ARMED(path) ({ \
	int __fd = frz2_arm_settled(path); \
	\
	ASSERT_LE(0, __fd); \
	__fd; \
})

static inline int64_t ms_since(int64_t ns)
{
	return (frz_now_ns() - ns) / 1000000;
}

#endif /* V2_FIXTURE_H */
