/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the tests of cgroup v2: one fresh cgroup per test,
 *
 *	<root of cgroup v2>
 *	 `- selftest_<program>		self->cg
 *
 * in each world, and checks of "frozen" and of the events of cgroup.events.
 */
#ifndef V2_TEST_H
#define V2_TEST_H

#include "freezer_test.h"

#define FREEZE		"cgroup.freeze"
#define EVENTS		"cgroup.events"

/* An event that a kernel held back would come within this time. */
#define SETTLE_MS	60

static inline void setup_v2(struct __test_metadata *_metadata, char *cg)
{
	int err = frz2_setup();
	char name[64];

	ASSERT_EQ(0, err) {
		TH_LOG("no cgroup v2: %s", strerror(-err));
	}
	frz_test_name(name, sizeof(name));
	err = frz_create(cg, frz2_root(), name);
	if (err == -EEXIST) {
		ASSERT_EQ(0, frz_destroy(cg, FRZ_LIMIT));
		err = frz_create(cg, frz2_root(), name);
	}
	ASSERT_EQ(0, err);
}

static inline void teardown_v2(struct __test_metadata *_metadata, const char *cg)
{
	int err = frz_destroy(cg, FRZ_LIMIT);

	/* No block after EXPECT_*: see FIXTURE_TEARDOWN(freezer). */
	EXPECT_EQ(0, err);
	if (err)
		TH_LOG("%s does not go away, tasks: %s", cg,
		       frz_content(cg, "tasks"));
}

FIXTURE(v2) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_SETUP(v2)
{
	setup_v2(_metadata, self->cg);
}

FIXTURE_TEARDOWN(v2)
{
	teardown_v2(_metadata, self->cg);
}

#define V2_TEST(name) TEST_F_TIMEOUT(v2, name, 90)

#define EXPECT_FROZEN(value, path) EXPECT_EQ(value, frz2_frozen(path))
#define ASSERT_FROZEN(value, path) ASSERT_EQ(value, frz2_frozen(path))
#define ASSERT_REQUEST(path, value) ASSERT_EQ(0, frz2_request(path, value))

/* Is there an event now, at the first look? Arms again. */
#define EXPECT_EVENT(fd) EXPECT_EQ(0, frz_wait_event(fd, 0))
#define EXPECT_NO_EVENT(fd) \
	EXPECT_EQ(-ETIMEDOUT, frz_wait_event(fd, SETTLE_MS))

/* Armed, and what "populated" has to tell has been told; or -errno. */
static inline int arm_settled(const char *path)
{
	int fd = frz_arm(path);
	int err = 0;

	while (fd >= 0 && !err)
		err = frz_wait_event(fd, SETTLE_MS);
	return err && err != -ETIMEDOUT ? err : fd;
}

#define ASSERT_ARMED(path) ({ \
	int __fd = arm_settled(path); \
	\
	ASSERT_LE(0, __fd); \
	__fd; \
})

static inline int64_t ms_since(int64_t ns)
{
	return (frz_now_ns() - ns) / 1000000;
}

#endif /* V2_TEST_H */
