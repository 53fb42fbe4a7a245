// SPDX-License-Identifier: GPL-2.0
/*
 * Nested cgroups: a freeze reaches all below, a parent is FROZEN
 * only when all below are, own and inherited requests are told apart.
 *
 * The tree of most tests:
 *
 *	cg
 *	 `- a
 *	     |- b
 *	     |   `- c
 *	     `- d
 *
 * Clauses: C5, C6.
 */
#include "freezer_test.h"

#define A	tree[0]
#define B	tree[1]
#define C	tree[2]
#define D	tree[3]

/* Fill in the tree above: 0 or -errno. */
static int make_tree(const char *cg, char tree[4][FRZ_PATH_MAX])
{
	return frz_create(A, cg, "a") ?: frz_create(B, A, "b") ?:
	       frz_create(C, B, "c") ?: frz_create(D, A, "d");
}

#define ASSERT_TREE(tree) ASSERT_EQ(0, make_tree(self->cg, tree))

/* state, self_freezing and parent_freezing in one line. */
static const char *triple(const char *path)
{
	char state[32], own[8], inherited[8];
	static char buf[64];

	if (frz_read(path, "freezer.state", state, sizeof(state)) ||
	    frz_read(path, "freezer.self_freezing", own, sizeof(own)) ||
	    frz_read(path, "freezer.parent_freezing", inherited,
		     sizeof(inherited)))
		return "unreadable";
	snprintf(buf, sizeof(buf), "%s %s %s", state, own, inherited);
	return buf;
}

/*
 * Own request, inherited request and effective state, through all the writes
 * that change one of them (C6). A failure names the file that lies.
 */
FREEZER_TEST(own_inherited_effective)
{
	char tree[4][FRZ_PATH_MAX];

	ASSERT_TREE(tree);
	ASSERT_FREEZES(A);
	EXPECT_STREQ("THAWED 0 0", triple(self->cg));
	EXPECT_STREQ("FROZEN 1 0", triple(A));
	EXPECT_STREQ("FROZEN 0 1", triple(B));
	EXPECT_STREQ("FROZEN 0 1", triple(C));
	EXPECT_STREQ("FROZEN 0 1", triple(D));

	ASSERT_EQ(0, frz_freeze(B));
	EXPECT_STREQ("FROZEN 1 1", triple(B));
	EXPECT_STREQ("FROZEN 0 1", triple(C));

	ASSERT_EQ(0, frz_thaw(A));
	EXPECT_STREQ("THAWED 0 0", triple(A));
	EXPECT_STREQ("FROZEN 1 0", triple(B));
	EXPECT_STREQ("FROZEN 0 1", triple(C));
	EXPECT_STREQ("THAWED 0 0", triple(D));

	ASSERT_EQ(0, frz_thaw(B));
	EXPECT_STREQ("THAWED 0 0", triple(B));
	EXPECT_STREQ("THAWED 0 0", triple(C));
}

/*
 * FROZEN covers every task below, at each level: twenty times, a spinner in
 * each of the five cgroups; after the write not one counter moves. A counter
 * that does is a task that was "still on its way" when the parent said FROZEN.
 */
FREEZER_TEST(frozen_covers_all_below)
{
	unsigned long *word = ASSERT_WORDS(4), seen[4];
	char tree[4][FRZ_PATH_MAX];
	int i, k;

	ASSERT_TREE(tree);
	for (k = 0; k < 4; k++)
		ASSERT_SPINNER(tree[k], &word[k]);
	for (i = 0; i < 20; i++) {
		ASSERT_FREEZES(self->cg);
		for (k = 0; k < 4; k++)
			seen[k] = frz_load(&word[k]);
		for (k = 0; k < 4; k++)
			EXPECT_STATE(tree[k], "FROZEN");
		frz_sleep_ms(5);
		for (k = 0; k < 4; k++)
			ASSERT_EQ(seen[k], frz_load(&word[k]));
		ASSERT_THAWS(self->cg);
		for (k = 0; k < 4; k++)
			ASSERT_EQ(0, frz_wait_move(&word[k], FRZ_LIMIT));
	}
}

/*
 * Freezing b touches b and c, and nothing else.
 */
FREEZER_TEST(parent_and_sibling_run)
{
	unsigned long *word = ASSERT_WORDS(4);
	char tree[4][FRZ_PATH_MAX];
	int k;

	ASSERT_TREE(tree);
	for (k = 0; k < 4; k++)
		ASSERT_SPINNER(tree[k], &word[k]);
	ASSERT_FREEZES(B);
	EXPECT_STREQ("THAWED 0 0", triple(A));
	EXPECT_STREQ("THAWED 0 0", triple(D));
	EXPECT_STANDS(&word[1]);
	EXPECT_STANDS(&word[2]);
	EXPECT_RUNS(&word[0]);
	EXPECT_RUNS(&word[3]);
}

/*
 * THAWED written below a frozen parent clears the own request only (C5): the
 * write succeeds, the state stays FROZEN, no task runs until the parent thaws.
 */
FREEZER_TEST(thaw_below_frozen_parent)
{
	unsigned long *word = ASSERT_WORDS(1);
	char tree[4][FRZ_PATH_MAX];

	ASSERT_TREE(tree);
	ASSERT_SPINNER(C, word);
	ASSERT_FREEZES(B);
	ASSERT_FREEZES(A);
	EXPECT_EQ(0, frz_thaw(B));
	EXPECT_STREQ("FROZEN 0 1", triple(B));
	EXPECT_EQ(0, frz_thaw(C));
	EXPECT_STREQ("FROZEN 0 1", triple(C));
	EXPECT_STANDS(word);
	ASSERT_THAWS(A);
	EXPECT_RUNS(word);
}

/*
 * A cgroup made below a frozen one is born FROZEN, and what is moved into it
 * freezes; it thaws with its parent.
 */
FREEZER_TEST(mkdir_below_frozen)
{
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX], deep[FRZ_PATH_MAX];
	pid_t pid;

	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	EXPECT_STREQ("FROZEN 0 1", triple(sub));
	ASSERT_EQ(0, frz_create(deep, sub, "deep"));
	EXPECT_STREQ("FROZEN 0 1", triple(deep));
	EXPECT_STATE(self->cg, "FROZEN");

	pid = ASSERT_SPINNER(NULL, word);
	ASSERT_EQ(0, frz_move_process(deep, pid));
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_STATE(deep, "FROZEN");
	EXPECT_STANDS(word);
	ASSERT_THAWS(self->cg);
	EXPECT_STREQ("THAWED 0 0", triple(deep));
	EXPECT_RUNS(word);
}

/*
 * The state of parents follows the children: one busy task in c keeps a, b and
 * c FREEZING, while d, which has nothing to wait for, is FROZEN. When the call
 * ends, all become FROZEN without another write.
 */
FREEZER_TEST(busy_child_holds_parents)
{
	struct frz_busy *busy = frz_busy_new(3000);
	unsigned long *word = ASSERT_WORDS(1);
	char tree[4][FRZ_PATH_MAX];

	ASSERT_TREE(tree);
	ASSERT_SLEEPER(D, word);
	ASSERT_BUSY(C, busy);
	ASSERT_EQ(0, frz_write_nonblock(A, "freezer.state", "FROZEN"));
	EXPECT_STREQ("FREEZING 1 0", triple(A));
	EXPECT_STREQ("FREEZING 0 1", triple(B));
	EXPECT_STREQ("FREEZING 0 1", triple(C));
	EXPECT_STREQ("FROZEN 0 1", triple(D));
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_BLOCKERS(1, A);
	EXPECT_BLOCKERS(1, C);
	EXPECT_BLOCKERS(0, D);
	EXPECT_EQ(0, frz_wait_state(A, "FROZEN", 60000));
	EXPECT_STREQ("FROZEN 0 1", triple(B));
	EXPECT_STREQ("FROZEN 0 1", triple(C));
}

/*
 * A child made while its parent is FREEZING is empty, hence FROZEN, and does
 * not hold the parent up; nor does its removal.
 */
FREEZER_TEST(mkdir_below_freezing)
{
	struct frz_busy *busy = frz_busy_new(3000);
	char sub[FRZ_PATH_MAX], gone[FRZ_PATH_MAX];

	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	EXPECT_STATE(self->cg, "FREEZING");
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_EQ(0, frz_create(gone, self->cg, "gone"));
	EXPECT_STREQ("FROZEN 0 1", triple(sub));
	EXPECT_EQ(0, rmdir(gone));
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_EQ(0, frz_wait_state(self->cg, "FROZEN", 60000));
	EXPECT_STATE(sub, "FROZEN");
}

/*
 * The last thing that holds a parent up is moved away: the parent is FROZEN at
 * once and its writer returns with success.
 *
 *	cg
 *	 |- in		a busy task; frozen, with a waiting writer
 *	 `- out		thawed, takes the task
 */
FREEZER_TEST(blocker_moved_out)
{
	struct frz_busy *busy = frz_busy_new(20000);
	char in[FRZ_PATH_MAX], out[FRZ_PATH_MAX], sub[FRZ_PATH_MAX];
	pid_t pid, writer;

	ASSERT_EQ(0, frz_create(in, self->cg, "in"));
	ASSERT_EQ(0, frz_create(sub, in, "sub"));
	ASSERT_EQ(0, frz_create(out, self->cg, "out"));
	pid = ASSERT_BUSY(sub, busy);
	writer = frz_writer(in, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, writer);
	ASSERT_BECOMES(in, "FREEZING");
	ASSERT_EQ(0, frz_move_process(out, pid));
	EXPECT_EQ(0, frz_writer_result(writer, FRZ_LIMIT));
	EXPECT_STATE(in, "FROZEN");
	EXPECT_STATE(out, "THAWED");
	EXPECT_EQ(0, frz_load(&busy->returns));
}

/*
 * Ten levels, a task at the bottom: the top freezes and thaws it. Requests at
 * other levels are taken back in any order without a level that is forgotten.
 */
FREEZER_TEST(ten_levels)
{
	unsigned long *word = ASSERT_WORDS(1);
	char path[11][FRZ_PATH_MAX];
	int i;

	memcpy(path[0], self->cg, FRZ_PATH_MAX);
	for (i = 1; i < 11; i++)
		ASSERT_EQ(0, frz_create(path[i], path[i - 1], "n"));
	ASSERT_SPINNER(path[10], word);

	for (i = 0; i < 11; i += 2)
		ASSERT_FREEZES(path[i]);
	EXPECT_STANDS(word);
	EXPECT_STREQ("FROZEN 1 1", triple(path[10]));
	for (i = 0; i < 11; i += 2) {
		EXPECT_STATE(path[10], "FROZEN");
		ASSERT_EQ(0, frz_thaw(path[i]));
		EXPECT_STREQ("THAWED 0 0", triple(path[i]));
	}
	EXPECT_STREQ("THAWED 0 0", triple(path[10]));
	EXPECT_RUNS(word);
}

TEST_HARNESS_MAIN
