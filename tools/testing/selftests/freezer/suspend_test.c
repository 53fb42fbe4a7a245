// SPDX-License-Identifier: GPL-2.0
/*
 * Frozen stays frozen over suspend and resume: for each kind of
 * sleep, each level of the kernel's test of suspend, and for a machine that
 * really sleeps. suspend_race_test has what goes on at the same time. In the world
 * v2 the groups are those of cgroup v2 (U21).
 *
 * Clauses: C12, C15, U21.
 */
#include <linux/futex.h>
#include <linux/suspend_ioctls.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "suspend_util.h"
#include "syscalls.h"

/* What the sleep of a task is shorter than, if it has a deadline. */
#define NAP_MS		50

/* For how long we look whether a task runs that should not. */
#define WATCH_MS	(3 * NAP_MS)

/* One task that sleeps, comes back, and counts. In shared memory. */
struct sleeper {
	pid_t pid;
	int fd[2];
	unsigned int futex;
	unsigned long child;	/* a process that it waits for */
	unsigned long begun;
	unsigned long count;	/* sleeps that are over */
	unsigned long failed;	/* errno of one that has failed */
};

/*
 * A kind of sleeping task.
 *
 * @sleep:	one sleep, in the task: 0, or -1 and errno
 * @ready:	from outside, when it has begun, if there is something to do
 * @end:	from outside: what ends the sleep; NULL if it ends by itself
 * @eintr:	the call ends with EINTR when a machine is suspended, also without
 *		any cgroup, and the program calls it again
 */
struct kind {
	const char *name;
	int (*sleep)(struct sleeper *s);
	int (*ready)(struct sleeper *s);
	int (*end)(struct sleeper *s);
	bool eintr;
};

static int sleep_nanosleep(struct sleeper *s)
{
	struct timespec ts = { .tv_nsec = NAP_MS * 1000000L };

	return nanosleep(&ts, NULL);
}

static int sleep_futex(struct sleeper *s)
{
	return syscall(SYS_futex, &s->futex, FUTEX_WAIT, 0, NULL, NULL, 0);
}

/* How many woke up does not matter: one that is not asleep will be counted. */
static int end_futex(struct sleeper *s)
{
	return syscall(SYS_futex, &s->futex, FUTEX_WAKE, 1, NULL, NULL, 0) < 0;
}

static int sleep_read(struct sleeper *s)
{
	char c;

	return read(s->fd[0], &c, 1) == 1 ? 0 : -1;
}

static int end_write(struct sleeper *s)
{
	return write(s->fd[1], "x", 1) == 1 ? 0 : -1;
}

static int sleep_recv(struct sleeper *s)
{
	char c;

	return recv(s->fd[0], &c, 1, 0) == 1 ? 0 : -1;
}

static int sleep_epoll(struct sleeper *s)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int fd = epoll_create1(0);
	int ret;

	epoll_ctl(fd, EPOLL_CTL_ADD, s->fd[0], &ev);
	ret = epoll_wait(fd, &ev, 1, -1);
	close(fd);
	return ret == 1 ? sleep_read(s) : -1;
}

static int sleep_poll(struct sleeper *s)
{
	struct pollfd pfd = { .fd = s->fd[0], .events = POLLIN };

	return poll(&pfd, 1, -1) == 1 ? sleep_read(s) : -1;
}

static int sleep_sigtimedwait(struct sleeper *s)
{
	struct timespec ts = { .tv_nsec = NAP_MS * 1000000L };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	return sigtimedwait(&set, NULL, &ts) < 0 && errno == EAGAIN ? 0 : -1;
}

static int sleep_wait4(struct sleeper *s)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pause();
		_exit(0);
	}
	frz_store(&s->child, pid);
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

static int sleep_vfork(struct sleeper *s)
{
	pid_t pid;

	pid = vfork();
	if (!pid) {
		char c;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		frz_store(&s->child, getpid());
		_exit(read(s->fd[0], &c, 1) == 1 ? 0 : 1);
	}
	return waitpid(pid, NULL, 0) == pid ? 0 : -1;
}

/* The child does not share the fate of its parent. */
static int ready_child(struct sleeper *s)
{
	int err = frz_wait_word(&s->child, 1, FRZ_LIMIT);

	return err ? err : frz_move_process(frz_root(), frz_load(&s->child));
}

static int end_child(struct sleeper *s)
{
	return kill(frz_load(&s->child), SIGKILL);
}

static unsigned long handled;

static void on_signal(int sig)
{
	frz_inc(&handled);
}

static int sleep_pause(struct sleeper *s)
{
	signal(SIGUSR1, on_signal);
	frz_store(&handled, 0);
	while (!frz_load(&handled))
		pause();
	return 0;
}

static int end_sigusr1(struct sleeper *s)
{
	return kill(s->pid, SIGUSR1);
}

static int sleep_stop(struct sleeper *s)
{
	return raise(SIGSTOP);
}

static int end_stop(struct sleeper *s)
{
	return kill(s->pid, SIGCONT);
}

static int no_sleep(struct sleeper *s)
{
	return 0;
}

static int ready_traced(struct sleeper *s)
{
	if (ptrace(PTRACE_SEIZE, s->pid, 0, 0) ||
	    ptrace(PTRACE_INTERRUPT, s->pid, 0, 0))
		return -errno;
	return waitpid(s->pid, NULL, __WALL) == s->pid ? 0 : -errno;
}

static int end_traced(struct sleeper *s)
{
	return ptrace(PTRACE_DETACH, s->pid, 0, 0);
}

static const struct kind kinds[] = {
	{ "nanosleep", sleep_nanosleep },
	{ "futex", sleep_futex, NULL, end_futex },
	{ "pipe read", sleep_read, NULL, end_write },
	{ "unix socket receive", sleep_recv, NULL, end_write },
	{ "epoll", sleep_epoll, NULL, end_write, true },
	{ "poll", sleep_poll, NULL, end_write },
	{ "sigtimedwait", sleep_sigtimedwait },
	{ "wait4", sleep_wait4, ready_child, end_child },
	{ "vfork parent", sleep_vfork, ready_child, end_write },
	{ "pause", sleep_pause, NULL, end_sigusr1 },
	{ "stopped", sleep_stop, NULL, end_stop },
	{ "traced", no_sleep, ready_traced, end_traced },
	{ "spinner", no_sleep },
};

#define NR_KINDS	ARRAY_SIZE(kinds)

struct crowd_member {
	const struct kind *kind;
	struct sleeper *s;
};

static int sleep_on(void *arg)
{
	const struct kind *kind = ((struct crowd_member *)arg)->kind;
	struct sleeper *s = ((struct crowd_member *)arg)->s;

	for (;;) {
		frz_inc(&s->begun);
		while (kind->sleep(s)) {
			if (errno == EINTR && kind->eintr)
				continue;
			frz_store(&s->failed, errno);
			pause();
		}
		frz_inc(&s->count);
	}
	return 0;
}

/* Asleep, stopped, or of a kind that does neither. */
static int wait_begun(const struct kind *kind, struct sleeper *s)
{
	int err = frz_wait_word(&s->begun, 1, FRZ_LIMIT);

	if (err || kind->sleep == no_sleep)
		return err;
	return frz_until(strchr("SDTt", frz_task_state(s->pid)), FRZ_LIMIT) ?
	       0 : -ETIMEDOUT;
}

/*
 *	cg	a task of each of @num kinds, and for some of them a child
 *		that was moved out
 *
 * Freeze; suspend and resume as @how says; do what ends the sleep of each task.
 * None has run while the state is FROZEN, which it is all the time. Thaw: each
 * goes on, and none has failed.
 */
static void stays_frozen(struct __test_metadata *_metadata, const char *cg,
			 const struct kind *kind, int num,
			 const struct frz_suspend *how)
{
	struct sleeper *s = frz_shared(num * sizeof(*s));
	/* Hibernation is not counted. */
	bool counted = strcmp(how->state, "disk");
	long before = frz_suspends("success");
	unsigned long count[NR_KINDS];
	int i;

	ASSERT_NE(NULL, s);
	for (i = 0; i < num; i++) {
		struct crowd_member member = { &kind[i], &s[i] };

		ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s[i].fd));
		if (kind[i].sleep == sleep_read) {
			close(s[i].fd[0]);
			close(s[i].fd[1]);
			ASSERT_EQ(0, pipe(s[i].fd));
		}
		s[i].pid = ASSERT_PID(frz_spawn(cg, sleep_on, &member));
		ASSERT_EQ(0, wait_begun(&kind[i], &s[i])) {
			TH_LOG("%s", kind[i].name);
		}
		if (kind[i].ready) {
			ASSERT_EQ(0, kind[i].ready(&s[i])) {
				TH_LOG("%s", kind[i].name);
			}
			ASSERT_EQ(0, wait_begun(&kind[i], &s[i]));
		}
	}

	ASSERT_FREEZES(cg);
	for (i = 0; i < num; i++)
		count[i] = frz_load(&s[i].count);

	ASSERT_EQ(0, frz_suspend(how)) {
		TH_LOG("%s, pm_test %s", how->state, how->level);
	}
	EXPECT_EQ(before + counted, frz_suspends("success"));
	EXPECT_STATE(cg, "FROZEN");

	for (i = 0; i < num; i++) {
		if (!kind[i].end)
			continue;
		ASSERT_EQ(0, kind[i].end(&s[i])) {
			TH_LOG("%s: %s", kind[i].name, strerror(errno));
		}
	}
	frz_sleep_ms(WATCH_MS);
	EXPECT_STATE(cg, "FROZEN");
	for (i = 0; i < num; i++) {
		EXPECT_EQ(count[i], frz_load(&s[i].count)) {
			TH_LOG("%s: it ran while FROZEN, after %s (pm_test %s)",
			       kind[i].name, how->state, how->level);
		}
	}

	ASSERT_THAWS(cg);
	for (i = 0; i < num; i++) {
		EXPECT_EQ(0, frz_wait_word(&s[i].count, count[i] + 1,
					   FRZ_LIMIT)) {
			TH_LOG("%s: it does not go on", kind[i].name);
		}
		EXPECT_EQ(0, frz_load(&s[i].failed)) {
			TH_LOG("%s: %s", kind[i].name,
			       strerror(frz_load(&s[i].failed)));
		}
	}
	for (i = 0; i < num; i++) {
		close(s[i].fd[0]);
		close(s[i].fd[1]);
	}
}

/*
 * Each kind of sleeping task by itself, so that the report says which of them
 * run: on an unpatched 6.12 seven do, all whose sleep can be frozen in place,
 * and a stopped one.
 */
static void kind_stays_frozen(struct __test_metadata *_metadata,
			      const char *cg, const char *name)
{
	unsigned int i;

	for (i = 0; i < NR_KINDS; i++)
		if (!strcmp(kinds[i].name, name))
			break;
	ASSERT_GT(NR_KINDS, i);
	stays_frozen(_metadata, cg, &kinds[i], 1, &frz_tasks_only);
}

FREEZER_TEST(nanosleep)
{
	kind_stays_frozen(_metadata, self->cg, "nanosleep");
}

FREEZER_TEST(futex)
{
	kind_stays_frozen(_metadata, self->cg, "futex");
}

FREEZER_TEST(pipe_read)
{
	kind_stays_frozen(_metadata, self->cg, "pipe read");
}

FREEZER_TEST(unix_socket_receive)
{
	kind_stays_frozen(_metadata, self->cg, "unix socket receive");
}

FREEZER_TEST(epoll)
{
	kind_stays_frozen(_metadata, self->cg, "epoll");
}

FREEZER_TEST(poll)
{
	kind_stays_frozen(_metadata, self->cg, "poll");
}

FREEZER_TEST(sigtimedwait)
{
	kind_stays_frozen(_metadata, self->cg, "sigtimedwait");
}

FREEZER_TEST(wait4)
{
	kind_stays_frozen(_metadata, self->cg, "wait4");
}

FREEZER_TEST(vfork_parent)
{
	kind_stays_frozen(_metadata, self->cg, "vfork parent");
}

FREEZER_TEST(pause)
{
	kind_stays_frozen(_metadata, self->cg, "pause");
}

FREEZER_TEST(stopped)
{
	kind_stays_frozen(_metadata, self->cg, "stopped");
}

FREEZER_TEST(traced)
{
	kind_stays_frozen(_metadata, self->cg, "traced");
}

FREEZER_TEST(spinner)
{
	kind_stays_frozen(_metadata, self->cg, "spinner");
}

/*
 * All kinds at once, down to each level of the kernel's own test of suspend
 * that the state has (C12): the tasks; the devices; the firmware; the other CPUs;
 * the last CPU with its interrupts off. A failure at one level only says which
 * part of a resume lets tasks go.
 */
FREEZER_TEST(levels_of_s2idle)
{
	static const struct frz_suspend how[] = {
		{ "freeze", "freezer" },
		{ "freeze", "devices" },
		{ "freeze", "platform" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(how); i++) {
		stays_frozen(_metadata, self->cg, kinds, NR_KINDS, &how[i]);
		ASSERT_EQ(0, frz_destroy(self->cg, FRZ_LIMIT));
		ASSERT_EQ(0, frz_mkdir(self->cg));
	}
}

FREEZER_TEST(levels_of_suspend_to_ram)
{
	static const struct frz_suspend how[] = {
		{ "mem", "freezer" },
		{ "mem", "devices" },
		{ "mem", "platform" },
		{ "mem", "processors" },
		{ "mem", "core" },
	};
	unsigned int i;

	if (!strstr(frz_content(FRZ_POWER, "mem_sleep"), "deep"))
		SKIP(return, "the machine has no suspend to RAM");
	ASSERT_EQ(0, frz_write(FRZ_POWER, "mem_sleep", "deep"));
	for (i = 0; i < ARRAY_SIZE(how); i++) {
		stays_frozen(_metadata, self->cg, kinds, NR_KINDS, &how[i]);
		ASSERT_EQ(0, frz_destroy(self->cg, FRZ_LIMIT));
		ASSERT_EQ(0, frz_mkdir(self->cg));
	}
}

/*
 * The same for hibernation, whose last level makes the image of the memory that
 * would be written to the disk. Before each of them the kernel takes that much
 * memory, which is most of a minute on a kernel with KASAN, so each level has a
 * time limit of its own.
 */
static void hibernates(struct __test_metadata *_metadata, const char *cg,
		       const char *level)
{
	const struct frz_suspend how = { "disk", level };

	stays_frozen(_metadata, cg, kinds, NR_KINDS, &how);
}

FREEZER_LONG_TEST(hibernates_to_freezer)
{
	hibernates(_metadata, self->cg, "freezer");
}

FREEZER_LONG_TEST(hibernates_to_devices)
{
	hibernates(_metadata, self->cg, "devices");
}

FREEZER_LONG_TEST(hibernates_to_platform)
{
	hibernates(_metadata, self->cg, "platform");
}

FREEZER_LONG_TEST(hibernates_to_processors)
{
	hibernates(_metadata, self->cg, "processors");
}

/*
 * With FREEZER_HIBERNATE in the environment the machine is really switched off,
 * with all kinds of tasks in the image; whoever starts it again ("make hibernate"
 * does) sees how the test goes on.
 */
FREEZER_LONG_TEST(hibernates_to_core)
{
	hibernates(_metadata, self->cg, "core");
	if (!getenv("FREEZER_HIBERNATE"))
		return;
	ASSERT_EQ(0, frz_destroy(self->cg, FRZ_LIMIT));
	ASSERT_EQ(0, mkdir(self->cg, 0755));
	hibernates(_metadata, self->cg, "off");
}

/*
 * A machine that idles with all of its devices off, until its clock wakes it, or
 * a key that is hit on the terminal on which the test reports: the clock of an
 * emulated machine is deaf in this state, but a harness can hit a key.
 */
FREEZER_TEST(sleeps_to_idle)
{
	static const struct frz_suspend how = { "freeze", "none" };
	const char *tty = ttyname(STDOUT_FILENO);
	char power[64];

	if (tty) {
		snprintf(power, sizeof(power), "/sys/class/tty/%s/power",
			 strrchr(tty, '/') + 1);
		frz_write(power, "wakeup", "enabled");
	}
	stays_frozen(_metadata, self->cg, kinds, NR_KINDS, &how);
	if (tty)
		frz_write(power, "wakeup", "disabled");
}

/* Seconds that the machine was asleep since it was switched on. */
static double seconds_asleep(void)
{
	struct timespec mono, boot;

	clock_gettime(CLOCK_MONOTONIC, &mono);
	clock_gettime(CLOCK_BOOTTIME, &boot);
	return boot.tv_sec - mono.tv_sec + (boot.tv_nsec - mono.tv_nsec) / 1e9;
}

/* A machine that is off but for its memory, until its clock wakes it. */
FREEZER_LONG_TEST(sleeps_to_ram)
{
	static const struct frz_suspend how = { "mem", "none" };
	double asleep = seconds_asleep();

	if (!strstr(frz_content(FRZ_POWER, "mem_sleep"), "deep"))
		SKIP(return, "the machine has no suspend to RAM");
	ASSERT_EQ(0, frz_write(FRZ_POWER, "mem_sleep", "deep"));
	stays_frozen(_metadata, self->cg, kinds, NR_KINDS, &how);
	EXPECT_LT(0.1, seconds_asleep() - asleep);
}

/*
 * A sleep with a lock held, that the freezer itself never freezes
 */

#define SLEEP_DIR	"/sys/kernel/debug"
#define SLEEP_FILE	"test_cgroup_freezer_sleep"

static int set_gate(const char *word)
{
	return frz_write(SLEEP_DIR, SLEEP_FILE, word);
}

/* Take the lock, sleep while the gate is shut, give the lock back. */
static int read_gate(void *word)
{
	int fd = open(SLEEP_DIR "/" SLEEP_FILE, O_RDONLY | O_CLOEXEC);
	char c;

	if (fd < 0 || read(fd, &c, 1))
		return 1;
	if (!word)
		return 0;
	frz_inc(word);
	return frz_sleep(NULL);
}

FIXTURE(unsafe) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(unsafe) {
	bool suspend;
	bool freeze_meanwhile;
};

FIXTURE_VARIANT_ADD(unsafe, awake) { .suspend = false };
FIXTURE_VARIANT_ADD(unsafe, suspended) { .suspend = true };
FIXTURE_VARIANT_ADD(unsafe, frozen_meanwhile) { .freeze_meanwhile = true };

FIXTURE_SETUP(unsafe)
{
	FRZ_GROUP_MAKE(self->cg);
	ASSERT_EQ(0, set_gate("shut"));
}

FIXTURE_TEARDOWN(unsafe)
{
	set_gate("open");
	FRZ_GROUP_END(self->cg);
}

/*
 *	cg	a process in a system call that sleeps with a lock held, in a sleep
 *		that only a suspend of the machine may freeze
 *
 * FROZEN; the machine is suspended and resumed, or not; or the machine's tasks
 * are frozen first, cg while they are, and then the machine's tasks are thawed.
 * However that was, the process is asleep for its group and not frozen in
 * place, hence no guard is granted for now. Its sleep ends: a process outside
 * gets the lock in time, though cg is FROZEN still (C15), and the guard can be
 * had. The process comes back from its call after the thaw.
 *
 * A failure is a directory of a network file system that nobody can use until the
 * thaw, of a group that its users know nothing of.
 */
TEST_F_TIMEOUT(unsafe, lock_is_given_back, 90)
{
	unsigned long *word = ASSERT_WORDS(1);
	int fd, snapshot, busy = 0;
	int64_t in_place = 0;
	pid_t out;
	pid_t pid;

	pid = ASSERT_PID(frz_spawn(self->cg, read_gate, word));
	ASSERT_EQ(0, wait_task_state(pid, 'D'));
	if (variant->freeze_meanwhile) {
		snapshot = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);
		ASSERT_LE(0, snapshot);
		/* from here to its end only this process runs */
		ASSERT_EQ(0, ioctl(snapshot, SNAPSHOT_FREEZE, 0));
		EXPECT_STREQ("", frz_freezes(self->cg));
		in_place = frz_stat(self->cg, "nr_in_place");
		busy = guard_open_flags(self->cg, O_NONBLOCK);
		if (busy >= 0)
			close(busy);
		EXPECT_EQ(0, ioctl(snapshot, SNAPSHOT_UNFREEZE, 0));
		close(snapshot);
		EXPECT_EQ(0, in_place);
		EXPECT_EQ(-EBUSY, busy) {
			TH_LOG("a guard while the lock is held");
		}
	} else {
		ASSERT_FREEZES(self->cg);
	}
	if (variant->suspend)
		ASSERT_EQ(0, frz_suspend(&frz_tasks_only));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(1, frz_stat(self->cg, "nr_asleep"));
	EXPECT_EQ(0, frz_stat(self->cg, "nr_in_place"));
	fd = guard_open_flags(self->cg, O_NONBLOCK);
	EXPECT_EQ(-EBUSY, fd) {
		TH_LOG("a guard while the lock is held");
	}
	if (fd >= 0)
		close(fd);

	out = ASSERT_PID(frz_spawn(NULL, read_gate, NULL));
	ASSERT_EQ(0, set_gate("open"));
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT)) {
		TH_LOG("the lock is held, by a task in state %c",
		       frz_task_state(pid));
	}
	EXPECT_STATE(self->cg, "FROZEN");
	fd = guard_open(self->cg);
	EXPECT_LE(0, fd) {
		TH_LOG("%s: %s", strerror(-fd), frz_describe(self->cg));
	}
	close(fd);
	EXPECT_EQ(0, frz_load(word));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(word, 1, FRZ_LIMIT));
}

TEST_HARNESS_MAIN
