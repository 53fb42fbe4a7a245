// SPDX-License-Identifier: GPL-2.0
/*
 * What is read under the checkpoint guard is of one moment.
 *
 * The group is a bank, snapshot_bank.h: four processes that pass money through
 * shared memory, pipes and files. An adversary thaws it again and again, or
 * tries to. A number as an argument of the program is how many looks are taken.
 * snapshot_test does the same with freezer_snapshot, which writes them down.
 *
 * Clauses: C11.
 */
#include "checkpoint_util.h"
#include "freezer_test.h"
#include "snapshot_bank.h"
#include "snapshot_util.h"

/* How many looks, unless told otherwise. */
#define LOOKS		1000

/* Looks in which an unguarded bank has to be seen torn once. */
#define NEGATIVE_LOOKS	5000

/*
 * Freeze, take the guard, look at the processes one after the other, give the
 * guard back, thaw, many times. The adversary may be faster than the guard,
 * then it is tried again. No process notices.
 */
SNAPSHOT_TEST(every_look_is_of_one_moment)
{
	unsigned long want = number_argument(LOOKS), done = 0, tries = 0;
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	struct bank bank;

	ASSERT_NE(NULL, view);
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, false);
	ASSERT_NE(NULL, adversary);

	while (done < want) {
		int fd, err;

		ASSERT_EQ(0, bank_turns(&bank, 1, FRZ_LIMIT)) {
			TH_LOG("after %lu looks: %s", done,
			       frz_describe(self->cg));
		}
		ASSERT_GT(20 + want * 20, ++tries);
		err = frz_freeze(self->cg);
		ASSERT_TRUE(!err || err == -ECANCELED);
		fd = guard_open(self->cg);
		if (fd == -EBUSY || fd == -ECANCELED)
			continue;
		ASSERT_LE(0, fd);
		done++;

		ASSERT_EQ(-EBUSY, frz_thaw(self->cg));
		ASSERT_EQ(0, bank_look(&bank, view));
		ASSERT_STREQ("", bank_check(view)) {
			TH_LOG("look %lu", done);
		}
		ASSERT_STREQ("consistent", guard_verdict(fd));
		close(fd);
		ASSERT_THAWS(self->cg);
		ASSERT_STREQ("", bank_health(&bank));
	}

	stop_adversary(adversary);
	TH_LOG("%lu looks in %lu tries; thaws: %lu done, %lu refused", done,
	       tries, frz_load(&adversary->thaws),
	       frz_load(&adversary->refused));
	EXPECT_EQ(0, frz_load(&adversary->errors));
}

/*
 * That the test above can fail: without the guard and with an adversary who
 * thaws, and freezes again, a look at the bank finds it torn, though each began
 * FROZEN.
 */
SNAPSHOT_TEST(without_the_guard_a_look_is_torn)
{
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	const char *why = "";
	struct bank bank;
	int tries = 0;

	ASSERT_NE(NULL, view);
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, true);
	ASSERT_NE(NULL, adversary);

	while (!*why && tries < NEGATIVE_LOOKS) {
		int err = frz_freeze(self->cg);

		tries++;
		ASSERT_TRUE(!err || err == -ECANCELED);
		ASSERT_EQ(0, bank_look(&bank, view));
		why = bank_check(view);
	}
	stop_adversary(adversary);
	EXPECT_STRNE("", why) {
		TH_LOG("%d looks, and none of them torn", tries);
	}
	TH_LOG("torn at look %d: %s", tries, why);
	EXPECT_EQ(0, frz_load(&adversary->errors));
}

TEST_HARNESS_MAIN
