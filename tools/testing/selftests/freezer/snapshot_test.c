// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots of a group under the checkpoint guard, made by the program
 * freezer_snapshot.
 *
 * The group is a bank, snapshot_bank.h: four processes that pass money through
 * shared memory, pipes and files. An adversary thaws it again and again, or
 * tries to. A number as an argument of the program is how many snapshots are
 * made. snapshot_look_test looks at the same bank without freezer_snapshot, and
 * snapshot_tool_test is about the program itself.
 *
 * Clauses: C11.
 */
#include "freezer_test.h"
#include "snapshot_bank.h"
#include "snapshot_read.h"
#include "snapshot_tool.h"
#include "snapshot_util.h"

/* How many snapshots, unless told otherwise. */
#define SNAPSHOTS	100

/* Every so many snapshots with the registers that a tracer gets. */
#define TRACED		2

/* Tries in which an unguarded bank has to be seen torn once. */
#define NEGATIVE_TRIES	100

/* Between two snapshots the bank makes so many turns. */
#define TURNS		20

/* How often one is made once more whose threads do not stop. */
#define AGAIN		5

/*
 * The program under an adversary: freeze, write a snapshot, thaw, many times.
 * The adversary may be faster than the guard, then there is no snapshot and it
 * is tried again. Each one that there is has all that it should have, and the
 * bank in it is the bank at one moment, worked out from the core files, the
 * offsets in fdinfo, and what is in pipes and logs. The registers of a running
 * thread are those of the same moment; it is parked, and stops for a tracer, as
 * one that is frozen in a system call does not under the guard. No process
 * notices.
 */
SNAPSHOT_TEST(every_snapshot_is_of_one_moment)
{
	unsigned long want = number_argument(SNAPSHOTS);
	unsigned long done = 0, tries = 0, traced = 0, again = 0;
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	struct bank bank;

	ASSERT_NE(NULL, view);
	ASSERT_STREQ("", make_dir());
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, false);
	ASSERT_NE(NULL, adversary);

	while (done < want) {
		bool trace = !(done % TRACED);
		const char *regs = trace ? "--registers=auto" : "--registers=syscall";
		const char *wait = again ? "--registers-wait=5000" : "--registers-wait=500";
		const char *registers;
		int ret;

		ASSERT_EQ(0, bank_turns(&bank, TURNS, FRZ_LIMIT)) {
			TH_LOG("after %lu snapshots: %s", done,
			       frz_describe(self->cg));
		}
		tries++;
		ret = tool("--quiet", "--freeze", "--files", regs, wait, self->cg, "s");
		EXPECT_FALSE(exists("s.partial"));
		if (ret == TOOL_NOT_FROZEN && tries < 20 + want * 20) {
			EXPECT_FALSE(exists("s"));
			continue;
		}
		ASSERT_EQ(TOOL_DONE, ret) {
			TH_LOG("after %lu in %lu tries: %s", done, tries,
			       tool_said());
		}
		done++;

		ASSERT_STREQ("consistent", snapshot_key(in_dir("s"), "verdict"));
		ASSERT_STREQ("", snapshot_bank(in_dir("s"), &bank, view));
		ASSERT_STREQ("", bank_check(view)) {
			TH_LOG("snapshot %lu", done);
		}
		ASSERT_STREQ("", snapshot_spin(in_dir("s"), &bank));
		registers = snapshot_key(in_dir("s"), "registers");
		EXPECT_NE(NULL, strstr(registers, " 0 none"));
		traced += atoi(registers) > 0;
		if (trace && atoi(registers) <= 0) {
			char notes[1024] = "";

			snapshot_file(in_dir("s"), "notes", notes,
				      sizeof(notes));
			TH_LOG("snapshot %lu, registers: %s\n%s", done,
			       registers, notes);
			/* the thread had no CPU: once more, with more time */
			if (again++ < AGAIN)
				done--;
		} else {
			again = 0;
		}
		remove_tree(in_dir("s"));
		ASSERT_STREQ("", bank_health(&bank));
	}

	stop_adversary(adversary);
	EXPECT_EQ((done + TRACED - 1) / TRACED, traced);
	TH_LOG("%lu snapshots in %lu tries, %lu traced; thaws: %lu done, %lu refused",
	       done, tries, traced, frz_load(&adversary->thaws),
	       frz_load(&adversary->refused));
	EXPECT_LT(0, frz_load(&adversary->refused));
	EXPECT_EQ(0, frz_load(&adversary->errors));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, bank_turns(&bank, TURNS, FRZ_LIMIT));
	EXPECT_STREQ("", bank_health(&bank));
	remove_tree(tool_dir);
}

/*
 * That the test above can fail: with --no-guard the program finds out afterwards
 * that the group was thawed. It says so, and there is no snapshot. The part
 * that it has read so far, kept with --keep, is torn in at least one of a
 * hundred tries.
 */
SNAPSHOT_TEST(without_the_guard_there_is_no_snapshot)
{
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	const char *why = "";
	struct bank bank;
	int tries = 0;

	ASSERT_NE(NULL, view);
	ASSERT_STREQ("", make_dir());
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, true);
	ASSERT_NE(NULL, adversary);

	while (!*why && tries < NEGATIVE_TRIES) {
		int ret;

		tries++;
		ret = tool("--quiet", "--keep", "--no-guard", "--freeze",
			   "--files", "--registers=none", self->cg, "s");
		if (ret == TOOL_TORN) {
			EXPECT_FALSE(exists("s"));
			EXPECT_STREQ("torn", snapshot_key(in_dir("s.partial"),
							  "verdict"));
			why = snapshot_bank(in_dir("s.partial"), &bank, view);
			ASSERT_STREQ("", why);
			why = bank_check(view);
		} else {
			/* nobody thawed meanwhile, or it was not FROZEN */
			ASSERT_TRUE(ret == TOOL_DONE ||
				    ret == TOOL_NOT_FROZEN) {
				TH_LOG("%d: %s", ret, tool_said());
			}
		}
		remove_tree(in_dir("s"));
		remove_tree(in_dir("s.partial"));
	}
	stop_adversary(adversary);
	EXPECT_STRNE("", why) {
		TH_LOG("%d snapshots, and none of them torn", tries);
	}
	TH_LOG("torn at snapshot %d: %s", tries, why);
	remove_tree(tool_dir);
}

TEST_HARNESS_MAIN
