// SPDX-License-Identifier: GPL-2.0
/*
 * A task that two hierarchies hold: it is in a cgroup of v1 and in one of v2.
 *
 *	<root of the freezer>		<root of cgroup v2>
 *	 `- selftest_holders_test	 `- selftest_holders_test
 *	     |- a			     |- a
 *	     `- b			     `- b
 *
 *	v1 asks	v2 asks		the task	v1 reads	v2 reads
 *	no	no		runs		THAWED		frozen 0
 *	yes	no		is held		FROZEN		frozen 0
 *	no	yes		is held		THAWED		frozen 1
 *	yes	yes		is held		FROZEN		frozen 1
 *
 * A kill ends it, unless v1 holds it and freezer.killable is 0.
 *
 * Clauses: C10, C11, U2, U23.
 */
#include <sys/wait.h>

#include "freezer_test.h"

enum { V1, V2, HOLDERS };

static const char * const names[] = { "v1", "v2" };

/* For the tests that use the two groups of a hierarchy */
enum { A, B, GROUPS };

FIXTURE(holders) {
	char top[HOLDERS][FRZ_PATH_MAX];
	char group[HOLDERS][GROUPS][FRZ_PATH_MAX];
};

enum kind { SPINNER, READER, STOPPED };

static const char * const kinds[] = { "spinner", "reader", "stopped" };

FIXTURE_VARIANT(holders) {
	enum kind kind;
};

FIXTURE_VARIANT_ADD(holders, spinner) { .kind = SPINNER };
FIXTURE_VARIANT_ADD(holders, reader) { .kind = READER };
FIXTURE_VARIANT_ADD(holders, stopped) { .kind = STOPPED };

static int make_groups(char *top, const char *root,
		       char group[GROUPS][FRZ_PATH_MAX])
{
	return frz_group_below(top, root) ?: frz_create(group[A], top, "a") ?:
	       frz_create(group[B], top, "b");
}

FIXTURE_SETUP(holders)
{
	int err;

	err = frz_setup();
	if (err == -ENODEV)
		SKIP(return, "the kernel has no cgroup v1 freezer");
	ASSERT_EQ(0, err);
	err = frz2_setup();
	ASSERT_EQ(0, err) {
		TH_LOG("no cgroup v2: %s", strerror(-err));
	}
	ASSERT_EQ(0, make_groups(self->top[V1], frz_root(), self->group[V1]));
	ASSERT_EQ(0, make_groups(self->top[V2], frz2_root(), self->group[V2]));
}

/* What one of the two still holds does not go away from the other. */
FIXTURE_TEARDOWN(holders)
{
	int h, g, err;

	for (h = V1; h < HOLDERS; h++)
		for (g = A; self->top[h][0] && g < GROUPS; g++)
			frz_thaw(self->group[h][g]);
	for (h = V1; h < HOLDERS; h++) {
		err = self->top[h][0] ? frz_destroy(self->top[h], FRZ_LIMIT) : 0;
		/* No block after EXPECT_*: see FRZ_GROUP_END(). */
		EXPECT_EQ(0, err);
		if (err)
			TH_LOG("%s does not go away", self->top[h]);
	}
}

/* In shared memory */
struct task {
	unsigned long word;	/* counts in user mode */
	unsigned long got;	/* bytes that it has read */
	int pipe[2];
	pid_t pid;
};

static int spin(void *arg)
{
	struct task *t = arg;

	return frz_spin(&t->word);
}

static int read_pipe(void *arg)
{
	struct task *t = arg;
	char byte;

	for (;;) {
		frz_inc(&t->word);
		if (read(t->pipe[0], &byte, 1) != 1)
			return 1;
		frz_inc(&t->got);
	}
}

/* A task of this kind in both groups, in its loop, its sleep or its stop. */
static int start(struct task *t, enum kind as, const char *v1, const char *v2)
{
	int err;

	memset(t, 0, sizeof(*t));
	if (pipe2(t->pipe, O_CLOEXEC))
		return -errno;
	t->pid = frz_spawn(v1, as == READER ? read_pipe : spin, t);
	if (t->pid < 0)
		return t->pid;
	err = frz_wait_word(&t->word, 1, FRZ_LIMIT);
	if (!err && as == READER)
		err = frz_wait_asleep(t->pid, FRZ_LIMIT);
	if (!err)
		err = frz_move_process(v2, t->pid);
	if (!err && as == STOPPED) {
		kill(t->pid, SIGSTOP);
		err = frz_wait_stop(t->pid, WUNTRACED, FRZ_LIMIT);
	}
	return err < 0 ? err : 0;
}

static void end(struct task *t)
{
	close(t->pipe[0]);
	close(t->pipe[1]);
	if (t->pid <= 0)
		return;
	kill(t->pid, SIGKILL);
	frz_wait_exit(t->pid, FRZ_LIMIT);
}

#define ASSERT_STARTS(t, kind, v1, v2) ASSERT_EQ(0, start(t, kind, v1, v2))

/* How often the task was taken off a CPU, or has left it: a wake-up adds to it. */
static int64_t switches(pid_t pid)
{
	return frz_proc_status(pid, "voluntary_ctxt_switches") +
	       frz_proc_status(pid, "nonvoluntary_ctxt_switches");
}

static int ask(const char *path, bool freeze)
{
	return freeze ? frz_freeze(path) : frz_thaw(path);
}

/* Both states in one line, as they should be if these ask. */
static const char *want_states(const bool asks[HOLDERS])
{
	static char buf[64];

	snprintf(buf, sizeof(buf), "%s, frozen %d",
		 asks[V1] ? "FROZEN" : "THAWED", asks[V2]);
	return buf;
}

static const char *states(const char *v1, const char *v2)
{
	static char buf[128];
	char state[32];
	int err = frz_read(v1, "freezer.state", state, sizeof(state));

	snprintf(buf, sizeof(buf), "%s, frozen %d",
		 err ? strerror(-err) : state, frz2_frozen(v2));
	return buf;
}

static bool held(const bool asks[HOLDERS])
{
	return asks[V1] || asks[V2];
}

/* Each order of two freezes and two thaws: 1 and 2 freeze, ! thaws. */
static const char * const orders[] = {
	"1 2 !1 !2", "1 2 !2 !1", "2 1 !1 !2", "2 1 !2 !1", "1 !1 2 !2",
	"2 !2 1 !1",
};

/*
 * U23. All orders of freeze, freeze, thaw, thaw, as each of the two asks for it.
 * After each step both states are those of the table above, and the task is held or
 * goes on. While it is held nothing wakes it: neither the second request, nor a
 * thaw that is not the last one, nor a byte for the one that reads a pipe, which it
 * gets after the last thaw. The one that was stopped is stopped at the end, and
 * nobody was told.
 */
TEST_F_TIMEOUT(holders, every_order, 90)
{
	const char *path[HOLDERS] = { self->group[V1][A], self->group[V2][A] };
	struct task *t = frz_shared(sizeof(*t));
	unsigned long sent = 0, word = 0;
	bool asks[HOLDERS], was_held;
	int64_t at_rest = 0;
	const char *step;
	size_t i;

	ASSERT_NE(NULL, t);
	ASSERT_STARTS(t, variant->kind, path[V1], path[V2]);
	for (i = 0; i < ARRAY_SIZE(orders); i++) {
		memset(asks, 0, sizeof(asks));
		for (step = orders[i]; *step; step += strspn(step + 1, " ") + 1) {
			bool freeze = *step != '!';
			int h = (freeze ? *step : *++step) - '1';
			int err;

			was_held = held(asks);
			err = ask(path[h], freeze);
			ASSERT_EQ(0, err) {
				TH_LOG("order %s: %s: %s, %s", orders[i],
				       names[h], strerror(-err),
				       states(path[V1], path[V2]));
			}
			asks[h] = freeze;
			EXPECT_STREQ(want_states(asks),
				     states(path[V1], path[V2])) {
				TH_LOG("order %s, before '%s'", orders[i],
				       step + 1);
			}
			if (held(asks) && !was_held) {
				/* a parked one is off its CPU then */
				frz_settle();
				at_rest = switches(t->pid);
				word = frz_load(&t->word);
				if (variant->kind == READER) {
					ASSERT_EQ(1, write(t->pipe[1], "", 1));
					sent++;
				}
			}
			if (held(asks)) {
				frz_sleep_ms(FRZ_WATCH / 3);
				EXPECT_EQ(word, frz_load(&t->word));
				EXPECT_EQ(at_rest, switches(t->pid)) {
					TH_LOG("woken, order %s, before '%s'",
					       orders[i], step + 1);
				}
				if (sent)
					EXPECT_EQ(sent - 1, frz_load(&t->got));
				continue;
			}
			if (variant->kind == SPINNER)
				EXPECT_RUNS(&t->word);
			if (variant->kind != READER)
				continue;
			ASSERT_EQ(0, frz_wait_word(&t->got, sent, FRZ_LIMIT)) {
				TH_LOG("order %s: the byte is lost", orders[i]);
			}
			ASSERT_EQ(0, frz_wait_word(&t->word, sent + 1, FRZ_LIMIT));
			ASSERT_EQ(0, frz_wait_asleep(t->pid, FRZ_LIMIT));
		}
	}
	if (variant->kind == STOPPED) {
		EXPECT_EQ('T', frz_task_state(t->pid));
		EXPECT_EQ(-ETIMEDOUT,
			  frz_wait_stop(t->pid, WUNTRACED | WCONTINUED, 3));
		ASSERT_EQ(0, kill(t->pid, SIGCONT));
		EXPECT_RUNS(&t->word);
	}
	end(t);
}

/*
 * U23. A kill in each state of the table, with freezer.killable 0 and 1. It waits
 * where v1 holds the task with 0, the stricter of the two; it ends the task in all
 * other states, also where v2 holds it, and changes neither state. One that waits
 * takes effect when v1 withdraws, though v2 still holds the task; not when v2 does.
 */
TEST_F_TIMEOUT(holders, kills, 90)
{
	const char *path[HOLDERS] = { self->group[V1][A], self->group[V2][A] };
	struct task *t = frz_shared(sizeof(*t));
	bool asks[HOLDERS], waits;
	int i, killable, v2_first, h;

	ASSERT_NE(NULL, t);
	for (i = 0; i < 16; i++) {
		asks[V1] = i & 1;
		asks[V2] = i & 2;
		killable = !!(i & 4);
		v2_first = !!(i & 8);
		waits = asks[V1] && !killable;
		ASSERT_EQ(0, frz_write(path[V1], "freezer.killable",
				       killable ? "1" : "0"));
		ASSERT_STARTS(t, variant->kind, path[V1], path[V2]);
		for (h = V1; h < HOLDERS; h++)
			if (asks[h])
				ASSERT_EQ(0, frz_freeze(path[h]));
		ASSERT_EQ(0, kill(t->pid, SIGKILL));
		if (waits) {
			EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(t->pid, FRZ_WATCH));
			EXPECT_STREQ(want_states(asks),
				     states(path[V1], path[V2]));
			if (v2_first && asks[V2]) {
				ASSERT_EQ(0, frz_thaw(path[V2]));
				asks[V2] = false;
				EXPECT_EQ(-ETIMEDOUT,
					  frz_wait_exit(t->pid, FRZ_WATCH));
			}
			ASSERT_EQ(0, frz_thaw(path[V1]));
			asks[V1] = false;
		}
		EXPECT_EQ(SIGKILL, frz_wait_exit(t->pid, FRZ_LIMIT)) {
			TH_LOG("%s, round %d: not ended, killable %d, %s",
			       kinds[variant->kind], i, killable,
			       states(path[V1], path[V2]));
		}
		EXPECT_STREQ(want_states(asks), states(path[V1], path[V2]));
		for (h = V1; h < HOLDERS; h++)
			ASSERT_EQ(0, frz_thaw(path[h]));
		end(t);
	}
}

/*
 * U23. Both hold the task, and it is killed. That freezer.killable is turned on in
 * v1 lets it go, as v2 never keeps anybody.
 */
TEST_F_TIMEOUT(holders, killable_is_turned_on, 90)
{
	const char *path[HOLDERS] = { self->group[V1][A], self->group[V2][A] };
	struct task *t = frz_shared(sizeof(*t));

	ASSERT_NE(NULL, t);
	ASSERT_EQ(0, frz_write(path[V1], "freezer.killable", "0"));
	ASSERT_STARTS(t, variant->kind, path[V1], path[V2]);
	ASSERT_EQ(0, frz_freeze(path[V2]));
	ASSERT_EQ(0, frz_freeze(path[V1]));
	ASSERT_EQ(0, kill(t->pid, SIGKILL));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(t->pid, FRZ_WATCH));
	ASSERT_EQ(0, frz_write(path[V1], "freezer.killable", "1"));
	EXPECT_EQ(SIGKILL, frz_wait_exit(t->pid, FRZ_LIMIT));
	EXPECT_STATE(path[V1], "FROZEN");
	EXPECT_EQ(1, frz2_frozen(path[V2]));
	end(t);
}

/*
 * C10, U23. Both hold the task; in each hierarchy b is thawed. It is moved to b in
 * one of the two and the other one holds it on; then in the other one as well, and
 * it goes on. The states of the four groups are what they were asked for. Then back,
 * into both of a, one after the other: the first one holds it.
 */
TEST_F_TIMEOUT(holders, moves, 90)
{
	struct task *t = frz_shared(sizeof(*t));
	unsigned long word;
	int first, h, i;

	ASSERT_NE(NULL, t);
	ASSERT_STARTS(t, variant->kind, self->group[V1][A], self->group[V2][A]);
	for (h = V1; h < HOLDERS; h++)
		ASSERT_EQ(0, frz_freeze(self->group[h][A]));
	for (first = V1; first < HOLDERS; first++) {
		for (i = 0; i < HOLDERS; i++) {
			h = i ? !first : first;
			word = frz_load(&t->word);
			ASSERT_EQ(0, frz_move_process(self->group[h][B], t->pid));
			EXPECT_STREQ("FROZEN, frozen 1",
				     states(self->group[V1][A],
					    self->group[V2][A]));
			EXPECT_STREQ("THAWED, frozen 0",
				     states(self->group[V1][B],
					    self->group[V2][B]));
			if (i)
				break;
			EXPECT_STANDS(&t->word);
			EXPECT_EQ(word, frz_load(&t->word)) {
				TH_LOG("let go by a move in %s", names[h]);
			}
		}
		if (variant->kind == SPINNER)
			EXPECT_RUNS(&t->word);
		if (variant->kind == READER) {
			word = frz_load(&t->word);
			ASSERT_EQ(1, write(t->pipe[1], "", 1));
			EXPECT_EQ(0, frz_wait_word(&t->word, word + 1, FRZ_LIMIT));
			ASSERT_EQ(0, frz_wait_asleep(t->pid, FRZ_LIMIT));
		}
		ASSERT_EQ(0, frz_move_process(self->group[first][A], t->pid));
		ASSERT_BECOMES(self->group[first][A], "FROZEN");
		EXPECT_STANDS(&t->word);
		ASSERT_EQ(0, frz_move_process(self->group[!first][A], t->pid));
		ASSERT_BECOMES(self->group[!first][A], "FROZEN");
		EXPECT_STANDS(&t->word);
	}
	/* Between two that are frozen it never runs. */
	for (h = V1; h < HOLDERS; h++)
		ASSERT_EQ(0, frz_freeze(self->group[h][B]));
	word = frz_load(&t->word);
	for (i = 0; i < 40; i++) {
		h = i & 1;
		ASSERT_EQ(0, frz_move_process(self->group[h][i & 2 ? A : B],
					      t->pid));
		ASSERT_EQ(word, frz_load(&t->word));
	}
	EXPECT_STREQ("FROZEN, frozen 1",
		     states(self->group[V1][A], self->group[V2][A]));
	EXPECT_STREQ("FROZEN, frozen 1",
		     states(self->group[V1][B], self->group[V2][B]));
	if (variant->kind == STOPPED) {
		/* what v1 holds is in D, what v2 alone holds is what it was */
		EXPECT_EQ('D', frz_task_state(t->pid));
		ASSERT_EQ(0, frz_thaw(self->group[V1][A]));
		ASSERT_EQ(0, frz_thaw(self->group[V1][B]));
		EXPECT_EQ('T', frz_task_state(t->pid));
	}
	end(t);
}

/*
 * C11, U2. A guard of v1 bars v1 only: v2 is frozen and thawed, and the task is
 * moved there, while the guard is held; the task stays where it is, and the guard
 * reads "consistent". The other way, a freeze by v2 does not keep v1 from a guard.
 */
TEST_F_TIMEOUT(holders, guard_of_v1, 90)
{
	struct task *t = frz_shared(sizeof(*t));
	char name[FRZ_PATH_MAX + 32], buf[32];
	unsigned long word;
	int fd, i;

	ASSERT_NE(NULL, t);
	ASSERT_STARTS(t, variant->kind, self->group[V1][A], self->group[V2][A]);
	snprintf(name, sizeof(name), "%s/freezer.checkpoint", self->group[V1][A]);
	for (i = 0; i < 2; i++) {
		if (i)
			ASSERT_EQ(0, frz_freeze(self->group[V2][A]));
		ASSERT_EQ(0, frz_freeze(self->group[V1][A]));
		fd = open(name, O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd) {
			TH_LOG("no guard, round %d: %s", i, strerror(errno));
		}
		EXPECT_STATE(self->group[V1][A], "CHECKPOINTING");
		word = frz_load(&t->word);
		EXPECT_EQ(0, frz2_request(self->group[V2][A], 1));
		EXPECT_EQ(0, frz2_wait_frozen(self->group[V2][A], FRZ_FREEZE));
		EXPECT_EQ(0, frz_move_process(self->group[V2][B], t->pid));
		EXPECT_EQ(0, frz_move_process(self->group[V2][A], t->pid));
		EXPECT_EQ(0, frz2_request(self->group[V2][A], 0));
		EXPECT_STANDS(&t->word);
		EXPECT_EQ(word, frz_load(&t->word));
		EXPECT_EQ(-EBUSY, frz_thaw(self->group[V1][A]));
		memset(buf, 0, sizeof(buf));
		EXPECT_LT(0, read(fd, buf, sizeof(buf) - 1));
		buf[strcspn(buf, "\n")] = 0;
		EXPECT_STREQ("consistent", buf);
		close(fd);
		EXPECT_STATE(self->group[V1][A], "FROZEN");
		ASSERT_EQ(0, frz_thaw(self->group[V1][A]));
		if (variant->kind == SPINNER)
			EXPECT_RUNS(&t->word);
	}
	end(t);
}

TEST_HARNESS_MAIN
