// SPDX-License-Identifier: GPL-2.0
/*
 * The state of one cgroup: what a write does and what it returns, errors
 * included.
 *
 * Clauses: C1, C2, C3, C4, C5.
 */
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "freezer_test.h"

/* A busy task that no test waits for: its call is cut by the final kill. */
#define FOR_EVER	20000

/*
 * A new cgroup is thawed, asked for nothing, and waits as long as runc and
 * CRIU do. The root has none of the files. A failure here means that a client
 * finds another interface than the documented one.
 */
FREEZER_TEST(new_cgroup)
{
	char root_state[FRZ_PATH_MAX + 32];

	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_FILE(self->cg, "freezer.self_freezing", "0");
	EXPECT_FILE(self->cg, "freezer.parent_freezing", "0");
	EXPECT_FILE(self->cg, "freezer.timeout_ms", "10000");
	EXPECT_FILE(self->cg, "freezer.blockers", "");

	snprintf(root_state, sizeof(root_state), "%s/freezer.state",
		 frz_root());
	EXPECT_EQ(-1, access(root_state, F_OK));
}

/*
 * Success of the write means FROZEN, at the first look (C1, C2).
 *
 *	cg	two processes that spin, one that sleeps
 *
 * Thirty times: write FROZEN, read the state once, see that no counter moves;
 * write THAWED, see that the counters move. A state that reads FREEZING here
 * makes clients poll; a counter that moves is an escape.
 */
FREEZER_TEST(write_waits_until_frozen)
{
	unsigned long *word = ASSERT_WORDS(3);
	int i;

	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SPINNER(self->cg, &word[1]);
	ASSERT_SLEEPER(self->cg, &word[2]);

	for (i = 0; i < 30; i++) {
		unsigned long seen[2];

		ASSERT_EQ(0, frz_freeze(self->cg)) {
			TH_LOG("%s", frz_describe(self->cg));
		}
		seen[0] = frz_load(&word[0]);
		seen[1] = frz_load(&word[1]);
		ASSERT_EQ(1, frz_state_is(self->cg, "FROZEN")) {
			TH_LOG("round %d", i);
			TH_LOG("%s", frz_describe(self->cg));
		}
		frz_sleep_ms(2);
		ASSERT_EQ(seen[0], frz_load(&word[0]));
		ASSERT_EQ(seen[1], frz_load(&word[1]));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&word[0], FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_move(&word[1], FRZ_LIMIT));
	}
	EXPECT_EQ(1, frz_load(&word[2]));
}

/*
 * The files of the cgroup's own request follow the writes, and both states may
 * be asked for again. A failure means that one of them lies.
 */
FREEZER_TEST(own_request)
{
	ASSERT_FREEZES(self->cg);
	EXPECT_FILE(self->cg, "freezer.self_freezing", "1");
	EXPECT_FILE(self->cg, "freezer.parent_freezing", "0");
	EXPECT_EQ(0, frz_freeze(self->cg));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_FILE(self->cg, "freezer.self_freezing", "0");
	EXPECT_EQ(0, frz_thaw(self->cg));
	EXPECT_STATE(self->cg, "THAWED");
}

/*
 * An empty cgroup freezes at once and is a state like any other. Fails if
 * somebody takes "no task is frozen" for "not frozen".
 */
FREEZER_TEST(empty_cgroup)
{
	ASSERT_EQ(0, frz_freeze(self->cg));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
}

/*
 * All but FROZEN and THAWED is EINVAL and changes nothing (C5), in both
 * states; a newline at the end, as echo writes it, is not an error.
 */
FREEZER_TEST(invalid_words)
{
	static const char * const words[] = {
		"FREEZING", "CHECKPOINTING", "RUNNING", "frozen", "thawed",
		"FROZE", "FROZENX", "THAWEDX", "FROZEN THAWED",
		"THAWED\nFROZEN", "0", "1", "\n", "FROZEN,", NULL,
	};
	static const char * const states[] = { "THAWED", "FROZEN", NULL };
	const char * const *state;
	const char * const *word;
	char text[2048];

	memset(text, 'F', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	for (state = states; *state; state++) {
		snprintf(text, 16, "%s\n", *state);
		ASSERT_EQ(0, frz_write(self->cg, "freezer.state", text));
		ASSERT_BECOMES(self->cg, *state);
		for (word = words; *word; word++) {
			EXPECT_EQ(-EINVAL, frz_write(self->cg, "freezer.state",
						     *word)) {
				TH_LOG("written: '%s'", *word);
			}
			EXPECT_STATE(self->cg, *state);
		}
		memset(text, 'F', 16);
		EXPECT_EQ(-EINVAL, frz_write(self->cg, "freezer.state", text));
		EXPECT_STATE(self->cg, *state);
	}
}

/*
 * The time limit ends the wait, and nothing else (C2).
 *
 *	cg	one process that stays in a system call for seconds
 *
 * With a limit of 100 ms: EBUSY; the state stays FREEZING, the request stands,
 * the process is named in blockers, the time-out is counted. When the call
 * ends, the group becomes FROZEN by itself, and the call has not been cut.
 */
FREEZER_TEST(time_limit)
{
	struct frz_busy *busy = frz_busy_new(3000);
	char comm[16], want[64], line[256];
	pid_t pid = ASSERT_BUSY(self->cg, busy);
	long long begin;

	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "100"));
	begin = frz_now_ns();
	EXPECT_EQ(-EBUSY, frz_freeze(self->cg));
	EXPECT_LE(100000000, frz_now_ns() - begin);
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_FILE(self->cg, "freezer.self_freezing", "1");
	EXPECT_EQ(1, frz_stat(self->cg, "nr_timeouts"));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_busy"));
	EXPECT_EQ(1, frz_blockers(self->cg));
	ASSERT_EQ(0, frz_read(self->cg, "freezer.blockers", line,
			      sizeof(line)));
	snprintf(comm, sizeof(comm), "%s", program_invocation_short_name);
	snprintf(want, sizeof(want), "%d %s ", pid, comm);
	line[strlen(want)] = 0;
	EXPECT_STREQ(want, line);

	EXPECT_EQ(0, frz_wait_state(self->cg, "FROZEN", 60000)) {
		TH_LOG("%s", frz_describe(self->cg));
	}
	EXPECT_EQ(0, frz_blockers(self->cg));
	EXPECT_EQ(1, frz_load(&busy->calls));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&busy->returns, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&busy->cut));
}

/*
 * A limit of 0 does not wait: EBUSY at once with a busy task, success where
 * FROZEN is reached without a wait (no task, a task asleep).
 */
FREEZER_TEST(time_limit_zero)
{
	unsigned long *word = ASSERT_WORDS(1);
	struct frz_busy *busy = frz_busy_new(FOR_EVER);

	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "0"));
	EXPECT_EQ(0, frz_freeze(self->cg));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);

	ASSERT_SLEEPER(self->cg, word);
	EXPECT_EQ(0, frz_freeze(self->cg));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);

	ASSERT_BUSY(self->cg, busy);
	EXPECT_EQ(-EBUSY, frz_freeze(self->cg));
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_EQ(0, frz_load(&busy->returns));
}

/*
 * freezer.timeout_ms keeps what is valid, refuses the rest with EINVAL, and is
 * inherited when a cgroup is made, not later.
 *
 *	cg
 *	 |- a	made while cg has 1234
 *	 `- b	made while cg has 0
 */
FREEZER_TEST(time_limit_values)
{
	static const char * const bad[] = {
		"-1", "abc", "\n", "1x", "1 2", "99999999999999999999999", NULL,
	};
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	const char * const *text;

	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "1234\n"));
	EXPECT_FILE(self->cg, "freezer.timeout_ms", "1234");
	for (text = bad; *text; text++) {
		EXPECT_EQ(-EINVAL, frz_write(self->cg, "freezer.timeout_ms",
					     *text)) {
			TH_LOG("written: '%s'", *text);
		}
		EXPECT_FILE(self->cg, "freezer.timeout_ms", "1234");
	}
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "0"));
	ASSERT_EQ(0, frz_create(b, self->cg, "b"));
	EXPECT_FILE(self->cg, "freezer.timeout_ms", "0");
	EXPECT_FILE(a, "freezer.timeout_ms", "1234");
	EXPECT_FILE(b, "freezer.timeout_ms", "0");
}

/*
 * A file opened with O_NONBLOCK does not wait (C3): the write succeeds while
 * the state is FREEZING, and the freeze completes without another write.
 */
FREEZER_TEST(nonblock)
{
	struct frz_busy *busy = frz_busy_new(3000);

	ASSERT_BUSY(self->cg, busy);
	EXPECT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_EQ(0, frz_wait_state(self->cg, "FROZEN", 60000));
	EXPECT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "THAWED"));
	EXPECT_STATE(self->cg, "THAWED");
}

/*
 * Thawed from FREEZING (C5): the request is gone at once, the task runs on,
 * and the interrupted freeze is not counted as completed.
 */
FREEZER_TEST(thaw_while_freezing)
{
	struct frz_busy *busy = frz_busy_new(4000);

	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	EXPECT_STATE(self->cg, "FREEZING");
	ASSERT_EQ(0, frz_thaw(self->cg));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_FILE(self->cg, "freezer.self_freezing", "0");
	EXPECT_BLOCKERS(0, self->cg);
	EXPECT_STAT(0, self->cg, "generation");
	EXPECT_STAT(1, self->cg, "nr_freezes");
	EXPECT_EQ(0, frz_wait_word(&busy->calls, 2, 60000));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_EQ(0, frz_load(&busy->cut));
}

/* Wait until the writer has asked and sleeps. */
#define ASSERT_WAITS(path, pid) do { \
	ASSERT_EQ(0, frz_wait_state(path, "FREEZING", FRZ_AT_ONCE)); \
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_AT_ONCE)); \
} while (0)

/*
 * THAWED written by somebody else cancels a waiting writer (C2): ECANCELED,
 * not success and not the time limit.
 */
FREEZER_TEST(cancelled_by_thaw)
{
	struct frz_busy *busy = frz_busy_new(FOR_EVER);
	pid_t pid;

	ASSERT_BUSY(self->cg, busy);
	pid = frz_writer(self->cg, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, pid);
	ASSERT_WAITS(self->cg, pid);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(-ECANCELED, frz_writer_result(pid, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "THAWED");
}

static void no_op(int sig)
{
}

static int freeze_with_handler(void *path)
{
	struct sigaction sa = { .sa_handler = no_op };

	sigaction(SIGUSR1, &sa, NULL);
	return -frz_freeze(path);
}

/*
 * A signal ends the wait of the writer with EINTR; the request stands (C2).
 * The freeze completes when the task leaves its call.
 */
FREEZER_TEST(writer_gets_signal)
{
	struct frz_busy *busy = frz_busy_new(FOR_EVER);
	pid_t pid, blocker;

	blocker = ASSERT_BUSY(self->cg, busy);
	pid = frz_spawn(NULL, freeze_with_handler, self->cg);
	ASSERT_LT(0, pid);
	ASSERT_WAITS(self->cg, pid);
	ASSERT_EQ(0, kill(pid, SIGUSR1));
	EXPECT_EQ(-EINTR, frz_writer_result(pid, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_FILE(self->cg, "freezer.self_freezing", "1");
	/* Cut its call short: it comes to the door. */
	ASSERT_EQ(0, kill(blocker, SIGSTOP));
	ASSERT_BECOMES(self->cg, "FROZEN");
}

/*
 * A writer that is killed while it waits dies at once and leaves the request
 * standing; the next writer is not disturbed.
 */
FREEZER_TEST(writer_killed)
{
	struct frz_busy *busy = frz_busy_new(FOR_EVER);
	pid_t pid, next;

	ASSERT_BUSY(self->cg, busy);
	pid = frz_writer(self->cg, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, pid);
	ASSERT_WAITS(self->cg, pid);
	next = frz_writer(self->cg, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, next);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-EINTR, frz_writer_result(pid, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FREEZING");
	ASSERT_EQ(0, frz_wait_asleep(next, FRZ_LIMIT));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(-ECANCELED, frz_writer_result(next, FRZ_LIMIT));
}

/* A write of FROZEN that takes its own time. */
struct timed_write {
	const char *path;
	int64_t ns;
};

static int freeze_timed(void *arg)
{
	struct timed_write *w = arg;
	int64_t begin = frz_now_ns();
	int err = frz_freeze(w->path);

	w->ns = frz_now_ns() - begin;
	return -err;
}

/*
 * End the sleep of @pid, a tracee, without a signal, as a debugger does: it is in
 * a stop now, and a call that was under way is begun again when it goes on.
 * 0 or -errno; the wait status if it has ended instead.
 */
static int interrupt_tracee(pid_t pid)
{
	int status;

	if (ptrace(PTRACE_INTERRUPT, pid, 0, 0))
		return -errno;
	status = frz_wait_stop(pid, 0, FRZ_LIMIT);
	return status < 0 ? status : WIFSTOPPED(status) ? 0 : status;
}

static int continue_tracee(pid_t pid)
{
	return ptrace(PTRACE_CONT, pid, 0, 0) ? -errno : 0;
}

/*
 * A THAWED cancels a writer (C2) also while the writer is away from its wait:
 *
 *	cg		a task that is busy for long
 *	the writer	waits for FROZEN; outside, and traced
 *
 * The tracer interrupts the writer, which is no signal, so its write is not over.
 * While it is stopped somebody writes THAWED. When it goes on its write gives
 * ECANCELED, and the state stays THAWED. A failure is a group that is frozen by
 * the write that was begun anew, after its owner has thawed it.
 */
FREEZER_TEST(cancelled_behind_a_tracer)
{
	struct frz_busy *busy = frz_busy_new(FOR_EVER);
	int i, result;
	pid_t pid;

	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "5000"));
	pid = frz_writer(self->cg, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, pid);
	ASSERT_WAITS(self->cg, pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	/* an interruption alone makes no difference */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, interrupt_tracee(pid));
		EXPECT_STATE(self->cg, "FREEZING");
		if (i == 2)
			ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, continue_tracee(pid));
		if (i < 2)
			ASSERT_WAITS(self->cg, pid);
	}
	result = frz_writer_result(pid, FRZ_LIMIT);
	EXPECT_EQ(-ECANCELED, result) {
		TH_LOG("the write gave: %s", strerror(-result));
	}
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_STAT(1, self->cg, "nr_freezes");
	EXPECT_EQ(0, frz_stat(self->cg, "nr_timeouts"));
}

/*
 * The time limit of a write is one limit, however often a tracer interrupts the
 * writer (C2): with a limit of five seconds, and an interruption each 300 ms,
 * it is EBUSY after these five seconds, counted once. A failure is a writer that
 * waits for as long as it is interrupted, which is 18 seconds.
 */
FREEZER_TEST(time_limit_behind_a_tracer)
{
	struct timed_write *w = frz_shared(sizeof(*w));
	struct frz_busy *busy = frz_busy_new(2 * FOR_EVER);
	int i, status = -ETIMEDOUT;
	pid_t pid;

	ASSERT_NE(NULL, w);
	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "5000"));
	w->path = self->cg;
	pid = ASSERT_PID(frz_spawn(NULL, freeze_timed, w));
	ASSERT_WAITS(self->cg, pid);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	for (i = 0; i < 60 && status == -ETIMEDOUT; i++) {
		status = frz_wait_exit(pid, 300);
		if (status != -ETIMEDOUT)
			break;
		status = interrupt_tracee(pid);
		ASSERT_LE(0, status);
		/* it may have ended at that moment */
		if (status)
			break;
		status = -ETIMEDOUT;
		ASSERT_EQ(0, continue_tracee(pid));
	}
	if (status == -ETIMEDOUT)
		status = frz_wait_exit(pid, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_LT(2, i);
	EXPECT_TRUE(WIFEXITED(status));
	EXPECT_EQ(EBUSY, WEXITSTATUS(status));
	EXPECT_LE(5000000000, w->ns);
	EXPECT_GE(10000000000, w->ns);
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_EQ(1, frz_stat(self->cg, "nr_timeouts"));
	EXPECT_STAT(1, self->cg, "nr_freezes");
}

/*
 * Several writers wait for the same freeze, and all get the same answer.
 */
FREEZER_TEST(many_writers)
{
	struct frz_busy *busy = frz_busy_new(2000);
	pid_t pid[4];
	int i;

	ASSERT_EQ(0, frz_write(self->cg, "freezer.timeout_ms", "60000"));
	ASSERT_BUSY(self->cg, busy);
	for (i = 0; i < 4; i++) {
		pid[i] = frz_writer(self->cg, "freezer.state", "FROZEN", false);
		ASSERT_LT(0, pid[i]);
	}
	for (i = 0; i < 4; i++)
		EXPECT_EQ(0, frz_writer_result(pid[i], 70000));
	EXPECT_STATE(self->cg, "FROZEN");
}

struct self_freeze {
	const char *path;
	bool nonblock;
	unsigned long before;
	unsigned long after;
	unsigned long result;
};

static int freeze_self(void *arg)
{
	struct self_freeze *s = arg;
	int err;

	frz_store(&s->before, 1);
	if (s->nonblock)
		err = frz_write_nonblock(s->path, "freezer.state", "FROZEN");
	else
		err = frz_freeze(s->path);
	frz_store(&s->result, -err);
	frz_inc(&s->after);
	return frz_sleep(NULL);
}

/*
 * A writer inside does not wait for itself (C4).
 *
 *	cg		spinner
 *	 `- sub		the writer, writes into cg
 *
 * It freezes before it is back in user mode: nothing after the write happens
 * while the state is FROZEN. After the thaw the write turns out to have
 * succeeded. With and without O_NONBLOCK, and into its own cgroup.
 */
FREEZER_TEST(self_freeze)
{
	struct self_freeze *s = frz_shared(sizeof(*s));
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX];
	pid_t pid;
	int i;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SPINNER(self->cg, word);
	for (i = 0; i < 4; i++) {
		memset(s, 0, sizeof(*s));
		s->nonblock = i & 1;
		s->path = i & 2 ? sub : self->cg;
		pid = frz_spawn(sub, freeze_self, s);
		ASSERT_LT(0, pid);
		ASSERT_EQ(0, frz_wait_word(&s->before, 1, FRZ_LIMIT));
		ASSERT_BECOMES(s->path, "FROZEN");
		EXPECT_EQ(0, frz_moved(&s->after, FRZ_WATCH));
		if (!(i & 2))
			EXPECT_STANDS(word);
		ASSERT_THAWS(s->path);
		ASSERT_EQ(0, frz_wait_word(&s->after, 1, FRZ_LIMIT));
		EXPECT_EQ(0, frz_load(&s->result)) {
			TH_LOG("variant %d: %s", i, strerror(s->result));
		}
		kill(pid, SIGKILL);
		EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
	}
}

/*
 * A descriptor that outlives its cgroup gives ENODEV, reading and writing.
 */
FREEZER_TEST(removed_cgroup)
{
	char sub[FRZ_PATH_MAX], name[FRZ_PATH_MAX + 32], buf[16];
	int fd;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	snprintf(name, sizeof(name), "%s/freezer.state", sub);
	fd = open(name, O_RDWR);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, rmdir(sub));
	EXPECT_EQ(-1, write(fd, "FROZEN", 6));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
}

/*
 * Reading never waits and changes nothing (C1): a thousand looks at a group
 * that is FREEZING find it so, while its writer waits.
 */
FREEZER_TEST(reading_changes_nothing)
{
	struct frz_busy *busy = frz_busy_new(FOR_EVER);
	pid_t pid;
	int i;

	ASSERT_BUSY(self->cg, busy);
	pid = frz_writer(self->cg, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, pid);
	ASSERT_WAITS(self->cg, pid);
	for (i = 0; i < 1000; i++)
		ASSERT_EQ(1, frz_state_is(self->cg, "FREEZING"));
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_STAT(1, self->cg, "nr_freezes");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(-ECANCELED, frz_writer_result(pid, FRZ_LIMIT));
}

struct repeater {
	const char	*path;
	unsigned long	go;	/* freezes asked for */
	unsigned long	done;
};

static int freeze_on_go(void *arg)
{
	struct repeater *repeater = arg;
	unsigned long i;

	for (i = 1;; i++) {
		while (frz_load(&repeater->go) < i)
			sched_yield();
		frz_freeze(repeater->path);
		frz_inc(&repeater->done);
	}
	return 0;
}

/*
 * THAWED opens all doors, also when it comes at the moment at which the last
 * task of a FREEZING group parks (C5): two thousand times somebody freezes a
 * group of spinners and a sleeper, and waits, and it is thawed as soon as the
 * request is there. The writer has come back then and freezer.stat counts no
 * task that is not free; at the end all of them run. A failure means that a task
 * stays frozen in a group that says THAWED.
 */
FREEZER_LONG_TEST(thaw_as_the_last_one_parks)
{
	unsigned long *word = ASSERT_WORDS(2);
	struct repeater *repeater = frz_shared(sizeof(*repeater));
	int64_t parked = 0, asleep = 0, in_place = 0;
	unsigned long i;

	ASSERT_NE(NULL, repeater);
	repeater->path = self->cg;
	for (i = 0; i < 4; i++)
		ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_PID(frz_spawn(NULL, freeze_on_go, repeater));
	for (i = 1; i <= 2000 && !(parked + asleep + in_place); i++) {
		frz_inc(&repeater->go);
		while (frz_load(&repeater->done) < i &&
		       strcmp(frz_content(self->cg, "freezer.self_freezing"),
			      "1"))
			;
		ASSERT_EQ(0, frz_thaw(self->cg));
		ASSERT_EQ(0, frz_wait_word(&repeater->done, i, FRZ_LIMIT));
		parked = frz_stat(self->cg, "nr_parked");
		asleep = frz_stat(self->cg, "nr_asleep");
		in_place = frz_stat(self->cg, "nr_in_place");
	}
	EXPECT_EQ(0, parked);
	EXPECT_EQ(0, asleep);
	EXPECT_EQ(0, in_place) {
		TH_LOG("in round %lu", i - 1);
	}
	EXPECT_RUNS(&word[0]);
}

/*
 * A writer that is frozen itself, in another cgroup, and waits (C2):
 *
 *	self->cg
 *	 |- a		the writer, traced
 *	 `- b		a task that is busy for a second
 *
 * A tracer interrupts the writer while a is FROZEN. Its write has not come to an end by
 * that: after the thaw of a it waits on, and succeeds when b is FROZEN.
 */
FREEZER_TEST(frozen_elsewhere)
{
	struct frz_busy *busy = frz_busy_new(4000);
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	struct timed_write *w = frz_shared(sizeof(*w));
	pid_t pid;

	ASSERT_NE(NULL, w);
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, self->cg, "b"));
	w->path = b;
	ASSERT_BUSY(b, busy);
	pid = ASSERT_PID(frz_spawn(a, freeze_timed, w));
	ASSERT_WAITS(b, pid);
	ASSERT_FREEZES(a);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, interrupt_tracee(pid));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	ASSERT_THAWS(a);
	/* it is not over before the call of the task in b is */
	frz_until(frz_load(&busy->returns) || frz_state_is(b, "FROZEN") == 1 ||
		  frz_task_state(pid) == 'Z', FRZ_LIMIT);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_STATE(b, "FROZEN");
	EXPECT_STATE(a, "THAWED");
}

TEST_HARNESS_MAIN
