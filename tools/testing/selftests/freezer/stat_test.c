// SPDX-License-Identifier: GPL-2.0
/*
 * freezer.stat and freezer.blockers: what they count and whom they name.
 */
#include "freezer_test.h"

/*
 * Each documented key is there, once, with a number, one per line. A failure
 * breaks programs that read the file.
 */
FREEZER_TEST(stat_keys)
{
	static const char * const keys[] = {
		"frozen_usec", "freezing_usec", "nr_freezes", "nr_timeouts",
		"generation", "nr_tasks", "nr_parked", "nr_in_place",
		"nr_asleep", "nr_busy", "cpu_usec_at_rest", NULL,
	};
	char buf[4096], name[64], *line, *save = NULL;
	int lines = 0, seen[16] = {}, k;
	long long value;

	ASSERT_EQ(0, frz_read(self->cg, "freezer.stat", buf, sizeof(buf)));
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char rest = 0;
		int num = sscanf(line, "%63s %lld%c", name, &value, &rest);

		EXPECT_EQ(2, num) {
			TH_LOG("line: '%s'", line);
		}
		EXPECT_EQ(0, value) {
			TH_LOG("line: '%s'", line);
		}
		for (k = 0; keys[k]; k++)
			seen[k] += !strcmp(name, keys[k]);
		lines++;
	}
	EXPECT_LE(11, lines);
	for (k = 0; keys[k]; k++) {
		EXPECT_EQ(1, seen[k]) {
			TH_LOG("key %s", keys[k]);
		}
	}
}

static int nap(void *word)
{
	frz_inc(word);
	frz_sleep_ms(3600 * 1000);
	return 0;
}

/*
 * The counts are of the whole subtree, and when FROZEN each task is in exactly
 * one place.
 *
 *	cg		spinner
 *	 `- sub		two in pause(), one in nanosleep()
 */
FREEZER_TEST(stat_counts_tasks)
{
	unsigned long *word = ASSERT_WORDS(4);
	char sub[FRZ_PATH_MAX];
	pid_t pid;
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(sub, &word[1]);
	ASSERT_SLEEPER(sub, &word[2]);
	pid = ASSERT_PID(frz_spawn(sub, nap, &word[3]));
	ASSERT_EQ(0, frz_wait_word(&word[3], 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));

	for (i = 0; i < 5; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(4, frz_stat(self->cg, "nr_tasks"));
		EXPECT_EQ(0, frz_stat(self->cg, "nr_busy"));
		EXPECT_EQ(1, frz_stat(self->cg, "nr_parked"));
		EXPECT_EQ(4, frz_stat(self->cg, "nr_parked") +
			     frz_stat(self->cg, "nr_in_place") +
			     frz_stat(self->cg, "nr_asleep"));
		EXPECT_LE(1, frz_stat(self->cg, "nr_in_place")) {
			TH_LOG("nanosleep() is a freezable sleep");
		}
		EXPECT_EQ(3, frz_stat(sub, "nr_tasks"));
		EXPECT_EQ(0, frz_stat(sub, "nr_parked"));
		EXPECT_EQ(3, frz_stat(sub, "nr_in_place") +
			     frz_stat(sub, "nr_asleep"));
		ASSERT_THAWS(self->cg);
		EXPECT_RUNS(&word[0]);
	}
}

/*
 * frozen_usec grows while FROZEN and only then, freezing_usec while FREEZING.
 */
FREEZER_TEST(stat_times)
{
	struct frz_busy *busy = frz_busy_new(20000);
	long long before, after;

	ASSERT_FREEZES(self->cg);
	before = frz_stat(self->cg, "frozen_usec");
	ASSERT_LE(0, before);
	frz_sleep_ms(20);
	after = frz_stat(self->cg, "frozen_usec");
	EXPECT_LE(before + 20000, after);
	ASSERT_THAWS(self->cg);
	before = frz_stat(self->cg, "frozen_usec");
	EXPECT_LE(after, before);
	frz_sleep_ms(20);
	EXPECT_EQ(before, frz_stat(self->cg, "frozen_usec"));

	ASSERT_BUSY(self->cg, busy);
	before = frz_stat(self->cg, "freezing_usec");
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	frz_sleep_ms(20);
	EXPECT_STATE(self->cg, "FREEZING");
	after = frz_stat(self->cg, "freezing_usec");
	EXPECT_LE(before + 20000, after);
	ASSERT_THAWS(self->cg);
	before = frz_stat(self->cg, "freezing_usec");
	frz_sleep_ms(20);
	EXPECT_EQ(before, frz_stat(self->cg, "freezing_usec"));
}

/*
 * blockers: a line per task that keeps the group from FROZEN, "pid comm
 * reason"; empty when nobody does or nobody asked.
 *
 *	cg		a sleeper, which is not a blocker
 *	 `- sub		two busy tasks, which are
 */
FREEZER_TEST(blockers_are_named)
{
	struct frz_busy *busy[2] = { frz_busy_new(20000), frz_busy_new(20000) };
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX], buf[4096], *line, *save = NULL;
	bool named[2] = {};
	pid_t pid[2];
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SLEEPER(self->cg, word);
	for (i = 0; i < 2; i++)
		pid[i] = ASSERT_BUSY(sub, busy[i]);
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	EXPECT_EQ(2, frz_stat(self->cg, "nr_busy"));
	ASSERT_EQ(0, frz_read(self->cg, "freezer.blockers", buf, sizeof(buf)));
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char comm[64], reason[256];
		int who = 0;
		int num = sscanf(line, "%d %63s %255[^\n]", &who, comm,
				 reason);

		EXPECT_EQ(3, num) {
			TH_LOG("line: '%s'", line);
		}
		for (i = 0; i < 2; i++)
			named[i] |= who == pid[i];
		TH_LOG("blocker: %s", line);
	}
	EXPECT_TRUE(named[0]);
	EXPECT_TRUE(named[1]);
	EXPECT_EQ(2, frz_blockers(self->cg));
	EXPECT_EQ(2, frz_blockers(sub));
	ASSERT_THAWS(self->cg);
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	EXPECT_EQ(0, frz_load(&busy[0]->cut));
}

TEST_HARNESS_MAIN
