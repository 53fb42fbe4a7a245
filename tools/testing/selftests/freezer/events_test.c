// SPDX-License-Identifier: GPL-2.0
/*
 * Notices of freezer.state: poll() and inotify, one for each change
 * and for a request that changes nothing, none held back.
 *
 * Clauses: C7.
 */
#include <poll.h>
#include <sys/inotify.h>

#include "freezer_test.h"

/* Is there a notice now? Arms again when there was. */
static int pending(int fd)
{
	return frz_wait_event(fd, 0);
}

/*
 * Each change of the state wakes a poller with POLLPRI|POLLERR, and the state
 * which it then reads is the new one. Fails where users have to poll in a loop.
 */
FREEZER_TEST(poll_tells_each_change)
{
	unsigned long *word = ASSERT_WORDS(1);
	int fd, i;

	ASSERT_SPINNER(self->cg, word);
	fd = frz_arm(self->cg);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-ETIMEDOUT, pending(fd));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state",
						"FROZEN"));
		do {
			ASSERT_EQ(0, frz_wait_event(fd, FRZ_FREEZE)) {
				TH_LOG("%s", frz_describe(self->cg));
			}
		} while (!frz_state_is(self->cg, "FROZEN"));
		ASSERT_EQ(0, frz_thaw(self->cg));
		ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
		EXPECT_STATE(self->cg, "THAWED");
	}
	close(fd);
}

/*
 * FREEZING is told, and so is the FROZEN to which nobody wrote anything: a busy
 * task leaves its call.
 */
FREEZER_TEST(poll_tells_late_frozen)
{
	struct frz_busy *busy = frz_busy_new(4000);
	int fd;

	ASSERT_BUSY(self->cg, busy);
	fd = frz_arm(self->cg);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_EQ(0, frz_load(&busy->returns));
	ASSERT_EQ(0, frz_wait_event(fd, 60000));
	EXPECT_STATE(self->cg, "FROZEN");
	close(fd);
}

/*
 * Descendants are told about their own state when an ancestor changes it.
 *
 *	cg		written to
 *	 `- sub		watched
 */
FREEZER_TEST(descendants_are_told)
{
	char sub[FRZ_PATH_MAX];
	int fd;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	fd = frz_arm(sub);
	ASSERT_LE(0, fd);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	EXPECT_STATE(sub, "FROZEN");
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	EXPECT_STATE(sub, "THAWED");
	close(fd);
}

/*
 * inotify: IN_MODIFY for a change that came from elsewhere (write(2) to the
 * watched file itself would raise one in any kernel, so the parent is written).
 */
FREEZER_TEST(inotify_tells)
{
	char sub[FRZ_PATH_MAX], name[FRZ_PATH_MAX + 32], buf[4096];
	struct pollfd pfd;
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	snprintf(name, sizeof(name), "%s/freezer.state", sub);
	pfd.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	pfd.events = POLLIN;
	ASSERT_LE(0, pfd.fd);
	ASSERT_LE(0, inotify_add_watch(pfd.fd, name, IN_MODIFY));
	for (i = 0; i < 6; i++) {
		struct inotify_event *ev = (void *)buf;

		ASSERT_EQ(0, frz_write(self->cg, "freezer.state",
				       i & 1 ? "THAWED" : "FROZEN"));
		ASSERT_EQ(1, poll(&pfd, 1, FRZ_AT_ONCE)) {
			TH_LOG("no event for change %d", i);
		}
		ASSERT_LE((ssize_t)sizeof(*ev),
			  read(pfd.fd, buf, sizeof(buf)));
		EXPECT_EQ(IN_MODIFY, ev->mask);
		/* FREEZING may have been told, too. */
		frz_sleep_ms(20);
		while (read(pfd.fd, buf, sizeof(buf)) > 0)
			;
	}
	close(pfd.fd);
}

/*
 * A request that changes nothing is told as well, so that somebody who armed,
 * wrote and waits never hangs: FROZEN on FROZEN, THAWED on THAWED, and THAWED
 * below a frozen parent.
 */
FREEZER_TEST(no_change_is_told)
{
	char sub[FRZ_PATH_MAX];
	int fd;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	fd = frz_arm(sub);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, frz_thaw(sub));
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	ASSERT_FREEZES(sub);
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	while (!pending(fd))
		;
	ASSERT_EQ(0, frz_freeze(sub));
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	ASSERT_FREEZES(self->cg);
	while (!pending(fd))
		;
	ASSERT_EQ(0, frz_thaw(sub));
	ASSERT_EQ(0, frz_wait_event(fd, FRZ_AT_ONCE));
	EXPECT_STATE(sub, "FROZEN");
	close(fd);
}

/*
 * No rate limit: in 200 changes as fast as they can be written, a poller finds
 * each notice as soon as the write has returned. A controller that spreads
 * notices over time has the last ones pending then.
 */
FREEZER_TEST(no_rate_limit)
{
	int fd, i, missed = 0;

	fd = frz_arm(self->cg);
	ASSERT_LE(0, fd);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, frz_freeze(self->cg));
		missed += !!pending(fd);
		ASSERT_EQ(0, frz_thaw(self->cg));
		missed += !!pending(fd);
	}
	EXPECT_EQ(0, missed);
	close(fd);
}

/*
 * generation counts completed freezes, nr_freezes the started ones; a request
 * that is repeated or taken back before FROZEN does not count as completed.
 */
FREEZER_TEST(generation)
{
	struct frz_busy *busy = frz_busy_new(20000);
	char sub[FRZ_PATH_MAX];
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_EQ(0, frz_stat(self->cg, "generation"));
	for (i = 1; i <= 50; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(i, frz_stat(self->cg, "generation"));
		ASSERT_EQ(i, frz_stat(sub, "generation"));
		ASSERT_EQ(0, frz_freeze(self->cg));
		ASSERT_EQ(i, frz_stat(self->cg, "generation"));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(i, frz_stat(self->cg, "generation"));
	}
	EXPECT_EQ(50, frz_stat(self->cg, "nr_freezes"));
	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	EXPECT_STATE(self->cg, "FREEZING");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(50, frz_stat(self->cg, "generation"));
	EXPECT_EQ(51, frz_stat(self->cg, "nr_freezes"));
}

TEST_HARNESS_MAIN
