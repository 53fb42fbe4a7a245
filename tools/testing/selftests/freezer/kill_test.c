// SPDX-License-Identifier: GPL-2.0
/*
 * Kills and frozen tasks: with freezer.killable 0 they wait for the thaw, with
 * 1 they end a task at once, from each way of being at rest, and the rest of
 * the group stays FROZEN.
 *
 * Clauses: C1, C9, C18.
 */
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "freezer_test.h"

#define KILLABLE	"freezer.killable"

/*
 * A kernel that has no such file is what 0 says. In cgroup v2 it is always what 1
 * says, and a test has its rounds with 0 there with 1.
 */
static int set_killable(const char *path, int value)
{
	int err = frz_write(path, KILLABLE, value ? "1" : "0");

	return err == -ENOENT && !value ? 0 : err;
}

/*
 * The file: what a new cgroup has is the parameter cgroup_freezer.killable of
 * the kernel, 0 unless somebody has said otherwise; below a cgroup that has
 * another value it is that. 0 and 1 can be written, nothing else.
 */
FREEZER_TEST(the_file)
{
	static const char * const invalid[] = {
		"2", "-1", "", "yes", "0 1", "1x", "99999999999999999999", NULL,
	};
	char child[FRZ_PATH_MAX], other[FRZ_PATH_MAX], root[FRZ_PATH_MAX + 32];
	const char * const *text;
	char param[8];
	bool set;

	ASSERT_EQ(0, frz_read("/sys/module/cgroup_freezer/parameters",
			      "killable", param, sizeof(param)));
	set = !strcmp(param, "Y");
	EXPECT_FILE(self->cg, KILLABLE, set ? "1" : "0");
	snprintf(root, sizeof(root), "%s/" KILLABLE, frz_root());
	EXPECT_EQ(-1, access(root, F_OK));

	ASSERT_EQ(0, set_killable(self->cg, !set));
	EXPECT_FILE(self->cg, KILLABLE, set ? "0" : "1");
	ASSERT_EQ(0, frz_create(child, self->cg, "child"));
	EXPECT_FILE(child, KILLABLE, set ? "0" : "1");
	ASSERT_EQ(0, set_killable(self->cg, set));
	EXPECT_FILE(child, KILLABLE, set ? "0" : "1");
	ASSERT_EQ(0, frz_create(other, self->cg, "other"));
	EXPECT_FILE(other, KILLABLE, set ? "1" : "0");

	for (text = invalid; *text; text++) {
		if (!**text)
			continue;
		EXPECT_EQ(-EINVAL, frz_write(self->cg, KILLABLE, *text)) {
			TH_LOG("written: '%s'", *text);
		}
		EXPECT_FILE(self->cg, KILLABLE, set ? "1" : "0");
	}
}

/*
 * What the kernel was booted with is what a new cgroup does: with
 * cgroup_freezer.killable=1 a killed task dies while FROZEN, though nobody has
 * written to any file; without, it waits for the thaw.
 */
FREEZER_TEST(default_of_the_host)
{
	unsigned long *word = ASSERT_WORDS(2);
	char line[4096], param[8];
	int status;
	bool set;
	pid_t pid;

	ASSERT_EQ(0, frz_read("/proc", "cmdline", line, sizeof(line)));
	ASSERT_EQ(0, frz_read("/sys/module/cgroup_freezer/parameters",
			      "killable", param, sizeof(param)));
	set = strstr(line, "cgroup_freezer.killable=1");
	EXPECT_STREQ(set ? "Y" : "N", param);

	ASSERT_SPINNER(self->cg, &word[0]);
	pid = ASSERT_SPINNER(self->cg, &word[1]);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	status = frz_wait_exit(pid, set ? FRZ_LIMIT : FRZ_WATCH);
	EXPECT_EQ(set ? SIGKILL : -ETIMEDOUT, status);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(&word[0]);
	ASSERT_THAWS(self->cg);
	if (!set)
		EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_RUNS(&word[0]);
}

struct victim {
	unsigned long word;
	unsigned long bad;
	int event;
};

static int spin(void *arg)
{
	struct victim *v = arg;

	return frz_spin(&v->word);
}

static int sleep_in_place(void *arg)
{
	struct timespec ts = { .tv_sec = 100000 };
	struct victim *v = arg;

	frz_inc(&v->word);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	frz_inc(&v->bad);
	return 0;
}

/* Where it sleeps it cannot be frozen in place: it is asleep, and no more. */
static int read_event(void *arg)
{
	struct victim *v = arg;
	eventfd_t value;

	frz_inc(&v->word);
	if (eventfd_read(v->event, &value))
		frz_inc(&v->bad);
	return 0;
}

/* The parent in vfork() waits in a sleep that only a kill ends. */
static int vfork_parent(void *arg)
{
	struct victim *v = arg;

	frz_inc(&v->word);
	if (!vfork()) {
		struct timespec ts = { .tv_sec = 100000 };

		clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
		_exit(0);
	}
	frz_inc(&v->bad);
	return 0;
}

static int traced(void *arg)
{
	struct victim *v = arg;

	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		return 1;
	raise(SIGSTOP);
	return frz_spin(&v->word);
}

static void *spin_thread(void *arg)
{
	spin(arg);
	return NULL;
}

static void *sleep_thread(void *arg)
{
	sleep_in_place(arg);
	return NULL;
}

static int threads(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, spin_thread, arg) ||
	    pthread_create(&thread, NULL, sleep_thread, arg))
		return 1;
	return read_event(arg);
}

FIXTURE(kill) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(kill) {
	int (*fn)(void *arg);
	bool asleep;
	bool stopped;
	bool traced;
};

FIXTURE_VARIANT_ADD(kill, parked) { .fn = spin };
FIXTURE_VARIANT_ADD(kill, in_place) { .fn = sleep_in_place, .asleep = true };
FIXTURE_VARIANT_ADD(kill, asleep) { .fn = read_event, .asleep = true };
FIXTURE_VARIANT_ADD(kill, vfork) { .fn = vfork_parent, .asleep = true };
FIXTURE_VARIANT_ADD(kill, stopped) { .fn = spin, .stopped = true };
FIXTURE_VARIANT_ADD(kill, traced) { .fn = traced, .traced = true };
FIXTURE_VARIANT_ADD(kill, threads) { .fn = threads };

FIXTURE_SETUP(kill)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(kill)
{
	FRZ_GROUP_END(self->cg);
}

/* A victim of this kind, at rest or nearly: its pid or -errno. */
static pid_t new_victim(const char *cg, const struct _fixture_variant_kill *kind,
			struct victim *v)
{
	int err = 0;
	pid_t pid;

	memset(v, 0, sizeof(*v));
	v->event = eventfd(0, EFD_CLOEXEC);
	if (v->event < 0)
		return -errno;
	pid = frz_spawn(cg, kind->fn, v);
	if (pid < 0)
		return pid;
	if (kind->traced)
		err = frz_wait_stop(pid, 0, FRZ_LIMIT);
	else
		err = frz_wait_word(&v->word, 1, FRZ_LIMIT);
	if (err >= 0 && kind->asleep)
		err = frz_wait_asleep(pid, FRZ_LIMIT);
	if (err >= 0 && kind->stopped && !kill(pid, SIGSTOP))
		err = frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT);
	return err < 0 ? err : pid;
}

static void close_victim(struct victim *v)
{
	close(v->event);
}

/*
 * The default action of SIGTERM does not end a task that is traced, nor one that
 * is stopped before its SIGCONT (term_waits_for_cont).
 */
static const int fatal[] = { SIGKILL, SIGTERM };

/*
 *	cg	the victim, in one of the ways to be at rest, and a spinner
 *
 * killable 0: FROZEN, SIGKILL or SIGTERM. The victim is there, visible, until
 * the thaw, has run nothing, and then dies of it. killable 1: it dies at once,
 * though nobody thaws; the state reads FROZEN all the time, the spinner stands
 * and runs after the thaw. A failure is a container that cannot be deleted, or a
 * kill that thaws more than it kills (C9).
 */
TEST_F_TIMEOUT(kill, waits_or_leaves, 90)
{
	struct victim *v = frz_shared(sizeof(*v));
	unsigned long *word = ASSERT_WORDS(1), seen;
	unsigned int i, killable;
	int status;
	pid_t pid;

	ASSERT_NE(NULL, v);
	ASSERT_SPINNER(self->cg, word);
	for (i = 0; i < (variant->traced || variant->stopped ? 2 : 4); i++) {
		int sig = fatal[i / 2];

		killable = i % 2 || frz_is_v2(self->cg);
		ASSERT_EQ(0, set_killable(self->cg, killable));
		pid = ASSERT_PID(new_victim(self->cg, variant, v));
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&v->word);
		ASSERT_EQ(0, kill(pid, sig));
		if (killable) {
			status = frz_wait_exit(pid, FRZ_LIMIT);
		} else {
			EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
			EXPECT_EQ(0, kill(pid, 0));
			EXPECT_EQ(seen, frz_load(&v->word));
		}
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_STANDS(word);
		EXPECT_EQ(seen, frz_load(&v->word));
		ASSERT_THAWS(self->cg);
		if (!killable)
			status = frz_wait_exit(pid, FRZ_LIMIT);
		ASSERT_LE(0, status) {
			TH_LOG("killable %u, signal %d: not ended", killable,
			       sig);
		}
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(sig, WTERMSIG(status));
		EXPECT_EQ(0, frz_load(&v->bad));
		EXPECT_RUNS(word);
		close_victim(v);
	}
}

/*
 * killable is turned on while the kill is pending: the victim leaves then. The
 * file of its own cgroup counts, not that of the parent.
 */
TEST_F_TIMEOUT(kill, turned_on_later, 90)
{
	struct victim *v = frz_shared(sizeof(*v));
	unsigned long *word = ASSERT_WORDS(1);
	char child[FRZ_PATH_MAX];
	int status;
	pid_t pid;

	ASSERT_NE(NULL, v);
	ASSERT_EQ(0, set_killable(self->cg, 0));
	ASSERT_EQ(0, frz_create(child, self->cg, "child"));
	ASSERT_SPINNER(child, word);
	pid = ASSERT_PID(new_victim(child, variant, v));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(0, set_killable(self->cg, 1));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	ASSERT_EQ(0, set_killable(child, 1));
	status = frz_wait_exit(pid, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_STATE(child, "FROZEN");
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(word);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

static const struct {
	bool frozen;
	bool killable;
	bool cont_first;
} terms[] = {
	{ },
	{ .frozen = true },
	{ .frozen = true, .killable = true },
	{ .frozen = true, .cont_first = true },
	{ .frozen = true, .killable = true, .cont_first = true },
};

/*
 *	cg	a process that is stopped by SIGSTOP
 *
 * SIGTERM waits for SIGCONT, in a cgroup that is not frozen, and so in one that
 * is, killable or not: it is still there before and after the thaw, and is ended
 * by the SIGCONT. If that comes before the thaw, it is ended by the thaw. It runs
 * nothing. A failure is a signal that the freeze has lost, or has sped up.
 */
FREEZER_TEST(term_waits_for_cont)
{
	unsigned long *word = ASSERT_WORDS(1), seen;
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(terms); i++) {
		ASSERT_EQ(0, set_killable(self->cg, terms[i].killable));
		pid = ASSERT_SPINNER(self->cg, word);
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_LE(0, frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT));
		if (terms[i].frozen)
			ASSERT_FREEZES(self->cg);
		seen = frz_load(word);
		ASSERT_EQ(0, kill(pid, SIGTERM));
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
		if (terms[i].cont_first) {
			ASSERT_EQ(0, kill(pid, SIGCONT));
			EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
		}
		if (terms[i].frozen) {
			EXPECT_STATE(self->cg, "FROZEN");
			ASSERT_THAWS(self->cg);
		}
		if (!terms[i].cont_first) {
			EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
			EXPECT_EQ('T', frz_task_state(pid));
			ASSERT_EQ(0, kill(pid, SIGCONT));
		}
		status = frz_wait_exit(pid, FRZ_LIMIT);
		ASSERT_LE(0, status) {
			TH_LOG("round %u: not ended", i);
		}
		EXPECT_TRUE(WIFSIGNALED(status));
		EXPECT_EQ(SIGTERM, WTERMSIG(status));
		EXPECT_EQ(seen, frz_load(word));
	}
}

/*
 * A victim that waits for the thaw is moved into a cgroup that is FROZEN as
 * well, but killable: it leaves there.
 */
FREEZER_TEST(moved_to_killable)
{
	unsigned long *word = ASSERT_WORDS(1);
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	int status;
	pid_t pid;

	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, self->cg, "b"));
	ASSERT_EQ(0, set_killable(a, 0));
	ASSERT_EQ(0, set_killable(b, 1));
	pid = ASSERT_SPINNER(a, word);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	ASSERT_EQ(0, frz_move_process(b, pid));
	status = frz_wait_exit(pid, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_EQ(SIGKILL, WTERMSIG(status));
	EXPECT_STATE(self->cg, "FROZEN");
}

/* What a signal does when its action is the default one, as signal(7) has it. */
static char default_action(int sig)
{
	switch (sig) {
	case SIGQUIT: case SIGILL: case SIGABRT: case SIGFPE: case SIGSEGV:
	case SIGBUS: case SIGSYS: case SIGTRAP: case SIGXCPU: case SIGXFSZ:
		return 'c';
	case SIGCHLD: case SIGURG: case SIGWINCH: case SIGCONT:
		return 'i';
	case SIGSTOP: case SIGTSTP: case SIGTTIN: case SIGTTOU:
		return 's';
	default:
		return 't';
	}
}

static int spin_by_default(void *arg)
{
	int sig;

	if (chdir("/tmp"))
		return 1;
	/* a group of its own whose leader has a parent, or TSTP is ignored */
	setpgid(0, 0);
	for (sig = 1; sig <= SIGRTMAX; sig++)
		signal(sig, SIG_DFL);
	return frz_spin(arg);
}

/*
 * Each signal with its default action, killable 0 and 1. At 0 nothing happens
 * before the thaw, whatever the signal. At 1 those that end a process without a
 * core dump do so while FROZEN, and no others. After the thaw it is ended, stopped
 * or runs on as it would have without any freeze. This is the table in
 * Documentation/cgroups/freezer-subsystem.txt, line by line.
 */
TEST_F_TIMEOUT(freezer, every_default_action, 300)
{
	unsigned long *word = ASSERT_WORDS(1), seen;
	int sig, killable, status;
	char action;
	pid_t pid;

	for (sig = 1; sig <= SIGRTMAX; sig++) {
		if (sig >= 32 && sig < SIGRTMIN)
			continue;
		action = default_action(sig);
		for (killable = frz_is_v2(self->cg); killable < 2; killable++) {
			bool at_once = killable && action == 't';

			ASSERT_EQ(0, set_killable(self->cg, killable));
			pid = ASSERT_PID(frz_spawn(self->cg, spin_by_default,
						   word));
			ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
			ASSERT_FREEZES(self->cg);
			seen = frz_load(word);
			ASSERT_EQ(0, kill(pid, sig));
			status = frz_wait_exit(pid, at_once ? FRZ_LIMIT : 10);
			EXPECT_EQ(at_once ? sig : -ETIMEDOUT, status) {
				TH_LOG("signal %d, killable %d", sig, killable);
			}
			EXPECT_EQ(seen, frz_load(word));
			EXPECT_STATE(self->cg, "FROZEN");
			ASSERT_THAWS(self->cg);
			if (action == 't' || action == 'c') {
				if (!at_once)
					status = frz_wait_exit(pid, FRZ_LIMIT);
				ASSERT_LE(0, status);
				EXPECT_EQ(sig, WTERMSIG(status));
				continue;
			}
			if (action == 's') {
				status = frz_wait_stop(pid, WUNTRACED,
						       FRZ_LIMIT);
				EXPECT_LE(0, status) {
					TH_LOG("signal %d", sig);
				}
			} else {
				EXPECT_RUNS(word);
			}
			kill(pid, SIGKILL);
			ASSERT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
		}
	}
}

/* A shell has us ignore SIGQUIT if it runs us in the background. Dumps core. */
static int spin_until_quit(void *arg)
{
	signal(SIGQUIT, SIG_DFL);
	if (chdir("/tmp"))
		return 1;
	return frz_spin(arg);
}

/*
 * A signal that dumps core waits for the thaw in a killable cgroup, too: the
 * dump is work of the group. A SIGKILL after it does not wait.
 */
FREEZER_TEST(core_dump_waits)
{
	unsigned long *word = ASSERT_WORDS(1);
	int i, status;
	pid_t pid;

	ASSERT_EQ(0, set_killable(self->cg, 1));
	for (i = 0; i < 2; i++) {
		pid = ASSERT_PID(frz_spawn(self->cg, spin_until_quit, word));
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, kill(pid, SIGQUIT));
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
		if (i)
			ASSERT_EQ(0, kill(pid, SIGKILL));
		if (!i)
			ASSERT_THAWS(self->cg);
		status = frz_wait_exit(pid, FRZ_LIMIT);
		ASSERT_LE(0, status);
		EXPECT_EQ(i ? SIGKILL : SIGQUIT, WTERMSIG(status));
		ASSERT_THAWS(self->cg);
	}
}

#define SENT_SIZE	(256 << 20)
#define SEND_TRIES	100

/* Sends a file without end, from the page cache. */
static int send_file(void *arg)
{
	int *sock = arg;
	int fd = syscall(SYS_memfd_create, "sent", 0);
	off_t pos;

	if (fd < 0 || ftruncate(fd, SENT_SIZE))
		return 1;
	for (;;) {
		pos = 0;
		if (sendfile(sock[1], fd, &pos, SENT_SIZE) <= 0)
			return 2;
	}
}

/* Read all that is there: how much. */
static long drain(int fd)
{
	static char buf[1 << 16];
	long num, sum = 0;

	while ((num = recv(fd, buf, sizeof(buf), MSG_DONTWAIT)) > 0)
		sum += num;
	return sum;
}

/*
 * A task that stands at the door in the middle of a sendfile() is killed there. Nothing
 * more comes out of the socket, which has room (C9, C18).
 */
FREEZER_LONG_TEST(killed_in_sendfile)
{
	int *sock = frz_shared(2 * sizeof(*sock)), i, parked = 0;
	bool at_door;
	pid_t pid;
	long sent;

	ASSERT_NE(NULL, sock);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, sock));
	ASSERT_EQ(0, set_killable(self->cg, 1));
	for (i = 0; i < SEND_TRIES && parked < 3; i++) {
		pid = ASSERT_PID(frz_spawn(self->cg, send_file, sock));
		ASSERT_TRUE(frz_until_busy(drain(sock[0]) > 0, FRZ_LIMIT));
		/* no faster than it is sent, or it sleeps */
		ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
		ASSERT_TRUE(frz_until_busy((drain(sock[0]),
					    frz_state_is(self->cg, "FROZEN") == 1),
					   FRZ_LIMIT));
		drain(sock[0]);
		at_door = frz_stat(self->cg, "nr_parked") == 1;
		parked += at_door;
		ASSERT_EQ(0, kill(pid, SIGKILL));
		EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
		/* one that was in the sleep for room has room now, and ends a chunk */
		sent = drain(sock[0]);
		if (at_door)
			EXPECT_EQ(0, sent) {
				TH_LOG("try %d: sent after the kill", i);
			}
		ASSERT_THAWS(self->cg);
	}
	EXPECT_LT(0, parked) {
		TH_LOG("no task stood at the door in %d tries", i);
	}
}

#define HAMMER_ROUNDS	300

/*
 * No kill is lost in the window in which a task is about to park, between its
 * last look and its sleep: barriers (C) and (E) in kernel/cgroup/freezer/freezer.h.
 *
 * Three hundred spinners are frozen and killed, the kill a little later after the
 * request each time, over the whole way to the door. Each must be gone though
 * nobody thaws. A lost one waits for the thaw for ever.
 */
FREEZER_TEST(kill_while_parking)
{
	unsigned long *word = ASSERT_WORDS(1);
	int i, delay, status;
	pid_t pid;

	ASSERT_EQ(0, set_killable(self->cg, 1));
	for (i = 0; i < HAMMER_ROUNDS; i++) {
		pid = ASSERT_SPINNER(self->cg, word);
		ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state",
						"FROZEN"));
		for (delay = 0; delay < i * 8; delay++)
			frz_load(word);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		status = frz_wait_exit(pid, FRZ_AT_ONCE);
		ASSERT_LE(0, status) {
			TH_LOG("round %d: lost, %s", i,
			       frz_describe(self->cg));
		}
		ASSERT_BECOMES(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
	}
}

/*
 * The same window, from the other side: the kill waits, and killable is turned
 * on while the victim parks.
 */
FREEZER_TEST(turned_on_while_parking)
{
	unsigned long *word = ASSERT_WORDS(1);
	int i, delay, status;
	pid_t pid;

	for (i = 0; i < HAMMER_ROUNDS / 3; i++) {
		ASSERT_EQ(0, set_killable(self->cg, 0));
		pid = ASSERT_SPINNER(self->cg, word);
		ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state",
						"FROZEN"));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		for (delay = 0; delay < i * 24; delay++)
			frz_load(word);
		ASSERT_EQ(0, set_killable(self->cg, 1));
		status = frz_wait_exit(pid, FRZ_AT_ONCE);
		ASSERT_LE(0, status) {
			TH_LOG("round %d: lost, %s", i,
			       frz_describe(self->cg));
		}
		ASSERT_THAWS(self->cg);
	}
}

#define MAX_BOMBS	120

/* Fork, and end at random, at most about MAX_BOMBS at a time. */
static int bomb(void *arg)
{
	unsigned int seed = getpid();
	unsigned long *num = arg;

	signal(SIGCHLD, SIG_IGN);
	for (;;) {
		if (frz_load(num) < MAX_BOMBS) {
			frz_inc(num);
			if (!fork())
				seed = getpid();
		} else if (rand_r(&seed) % 4 == 0) {
			__atomic_fetch_sub(num, 1, __ATOMIC_SEQ_CST);
			_exit(0);
		}
		sched_yield();
	}
	return 0;
}

FIXTURE(bombs) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(bombs) {
	bool killable;
};

FIXTURE_VARIANT_ADD(bombs, killable_0) { .killable = false };
FIXTURE_VARIANT_ADD(bombs, killable_1) { .killable = true };

FIXTURE_SETUP(bombs)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(bombs)
{
	FRZ_GROUP_END(self->cg);
}

/*
 * How batch systems end a job: freeze, read the list of tasks, SIGKILL each,
 * thaw. Ten times under processes that fork and end all the time: nothing is
 * alive afterwards. A process that is left has been born in a FROZEN group, or
 * was not on its list (C1).
 */
TEST_F_TIMEOUT(bombs, freeze_list_kill_thaw, 90)
{
	unsigned long *num = ASSERT_WORDS(1);
	static pid_t list[4096];
	int i, j, n;

	ASSERT_EQ(0, set_killable(self->cg, variant->killable));
	for (i = 0; i < 10; i++) {
		frz_store(num, 4);
		for (j = 0; j < 4; j++)
			ASSERT_PID(frz_spawn(self->cg, bomb, num));
		ASSERT_EQ(0, frz_wait_word(num, MAX_BOMBS / 2, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		n = frz_list(self->cg, "tasks", list, 4096);
		ASSERT_LT(0, n);
		for (j = 0; j < n; j++)
			kill(list[j], SIGKILL);
		if (variant->killable)
			EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		frz_until(!(n = frz_list(self->cg, "tasks", list, 4096)),
			  FRZ_LIMIT);
		ASSERT_EQ(0, n) {
			TH_LOG("round %d: %d of the job are alive", i, n);
		}
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

TEST_HARNESS_MAIN
