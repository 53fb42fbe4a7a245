// SPDX-License-Identifier: GPL-2.0
/*
 * What goes on while a machine is suspended and resumed: freezes that are under
 * way, suspends that fail, thaws, kills, processes of a frozen cgroup that are
 * themselves suspending the machine, CPUs that go away.
 *
 * Clauses: C2, C4, C12.
 */
#include <linux/suspend_ioctls.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "suspend_util.h"

/* A page whose first use waits until somebody fills it. */
static int make_late_page(char **page)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd;

	*page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	/* poll() of one that blocks returns POLLERR at once. */
	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (*page == MAP_FAILED || fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return -1;
	reg.range.start = (unsigned long)*page;
	reg.range.len = getpagesize();
	return ioctl(fd, UFFDIO_REGISTER, &reg) ? -1 : fd;
}

/* Somebody waits for the page of @fd: 0, or -ETIMEDOUT. */
static int wait_fault(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	if (poll(&pfd, 1, FRZ_LIMIT) != 1)
		return -ETIMEDOUT;
	return pfd.revents & POLLIN ? 0 : -EIO;
}

static int fill_page(int fd, const char *page, const char *text)
{
	struct uffdio_copy copy = {
		.dst = (unsigned long)page,
		.len = getpagesize(),
	};
	char *from = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memcpy(from, text, strlen(text));
	copy.src = (unsigned long)from;
	return ioctl(fd, UFFDIO_COPY, &copy);
}

/*
 * A process that a system call holds in the middle of a copy of memory: of a
 * page of its own that we fill, through its descriptor (pidfd_getfd()).
 */
struct late {
	unsigned long fd;
	unsigned long page;
	unsigned long begun;
	unsigned long done;
	long ret;
	const char *file;	/* what it writes to, from the page, if it writes */
	const char *text;
	int from;		/* a pipe that it reads into the page, if not */
};

static int late_call(void *arg)
{
	struct late *late = arg;
	char *page;
	int out, fd = make_late_page(&page);

	if (fd < 0)
		return 1;
	frz_store(&late->page, (unsigned long)page);
	frz_store(&late->fd, fd);
	if (late->file) {
		out = open(late->file, O_WRONLY);
		frz_inc(&late->begun);
		late->ret = write(out, page, strlen(late->text));
	} else {
		frz_inc(&late->begun);
		late->ret = read(late->from, page, 1);
	}
	frz_inc(&late->done);
	for (;;)
		pause();
	return 0;
}

/* Start it, and see it held: the descriptor of its page, or -errno. */
static int late_start(const char *cg, struct late *late, pid_t *pid)
{
	int pidfd, fd, err;

	*pid = frz_spawn(cg, late_call, late);
	if (*pid < 0)
		return *pid;
	err = frz_wait_word(&late->begun, 1, FRZ_LIMIT);
	if (err)
		return err;
	pidfd = syscall(SYS_pidfd_open, *pid, 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, (int)late->fd, 0);
	if (fd < 0)
		return -errno;
	close(pidfd);
	err = wait_fault(fd);
	return err ? err : fd;
}

/*
 * A cgroup that is FREEZING when the machine is suspended.
 *
 *	cg	a process that stays in a system call for seconds, and one that
 *		sleeps
 *
 * Ask for a freeze without waiting; suspend and resume. The cgroup becomes
 * FROZEN without another write (C12). After the thaw both go on. A failure
 * means that a request is lost over a suspend, or that a task comes out of it
 * stopped.
 */
FREEZER_TEST(freezing_goes_on)
{
	struct frz_busy *busy = frz_busy_new(3000);
	unsigned long *word = ASSERT_WORDS(1);
	unsigned long calls;

	ASSERT_BUSY(self->cg, busy);
	ASSERT_SLEEPER(self->cg, word);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	ASSERT_EQ(1, frz_state_is(self->cg, "FREEZING"));
	ASSERT_EQ(0, frz_suspend(&frz_tasks_only));
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	calls = frz_load(&busy->calls);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(calls, frz_load(&busy->calls));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&busy->calls, calls + 1, FRZ_LIMIT));
}

/*
 * A writer of FROZEN that waits when the machine is suspended.
 *
 *	cg	a process that stays in a system call for seconds
 *		a process that writes FROZEN, if @inside
 *
 * The suspend brings the tasks to the refrigerator, so the freeze is complete.
 * The writer succeeds and sees nothing of the suspend (C2). One that is inside is
 * frozen as well (C4); after the thaw, its write is over and does not begin anew,
 * or the cgroup would be FROZEN a second time.
 */
static void writer_waits(struct __test_metadata *_metadata, const char *cg,
			 bool inside)
{
	struct frz_busy *busy = frz_busy_new(5000);
	pid_t pid;

	ASSERT_BUSY(cg, busy);
	pid = ASSERT_PID(frz_writer(cg, "freezer.state", "FROZEN", inside));
	ASSERT_BECOMES(cg, "FREEZING");
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_EQ(0, frz_suspend(&frz_tasks_only));
	ASSERT_BECOMES(cg, "FROZEN");
	if (inside)
		ASSERT_THAWS(cg);
	EXPECT_EQ(0, frz_writer_result(pid, FRZ_LIMIT));
	EXPECT_STATE(cg, inside ? "THAWED" : "FROZEN");
	EXPECT_EQ(1, frz_stat(cg, "generation"));
}

FREEZER_TEST(writer_outside)
{
	writer_waits(_metadata, self->cg, false);
}

FREEZER_TEST(writer_inside)
{
	writer_waits(_metadata, self->cg, true);
}

/*
 * A task that was asleep in a call that cannot be frozen in place comes to the
 * refrigerator at suspend. It is parked from then on: the group is quiescent.
 */
FREEZER_TEST(sleeper_is_parked)
{
	unsigned long *word = ASSERT_WORDS(1);

	ASSERT_SLEEPER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(1, frz_stat(self->cg, "nr_asleep"));
	ASSERT_EQ(0, frz_suspend(&frz_tasks_only));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(0, frz_stat(self->cg, "nr_asleep"));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_parked"));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(1, frz_load(word));
}

/*
 * Suspends that fail.
 *
 *	cg	a process that spins, one that sleeps
 *
 * The first because a process elsewhere, held in a copy of memory, does not
 * freeze within the time limit of the system freezer; the second because of a
 * wake-up that came just before it. Both give up after they have frozen tasks.
 * The cgroup stays FROZEN, and goes on after the thaw.
 */
FREEZER_TEST(suspend_fails)
{
	struct late *late = frz_shared(sizeof(*late));
	unsigned long *word = ASSERT_WORDS(2);
	char limit[32], count[64], now[64];
	long before = frz_suspends("fail");
	int fds[2], fd, err, i;
	pid_t pid;

	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_EQ(0, pipe(fds));
	ASSERT_EQ(1, write(fds[1], "x", 1));
	late->from = fds[0];
	fd = late_start(NULL, late, &pid);
	ASSERT_LE(0, fd);

	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_read(FRZ_POWER, "pm_freeze_timeout", limit,
			      sizeof(limit)));
	ASSERT_EQ(0, frz_write(FRZ_POWER, "pm_freeze_timeout", "100"));
	err = frz_suspend(&frz_tasks_only);
	frz_write(FRZ_POWER, "pm_freeze_timeout", limit);
	EXPECT_EQ(-EBUSY, err);
	EXPECT_EQ(before + 1, frz_suspends("fail"));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(&word[0]);
	kill(pid, SIGKILL);
	close(fd);
	ASSERT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));

	ASSERT_EQ(0, frz_read(FRZ_POWER, "wakeup_count", count, sizeof(count)));
	ASSERT_EQ(0, frz_write(FRZ_POWER, "wakeup_count", count));
	ASSERT_EQ(0, frz_alarm(1));
	for (i = 0; i < FRZ_LIMIT; i += 10) {
		ASSERT_EQ(0, frz_read(FRZ_POWER, "wakeup_count", now,
				      sizeof(now)));
		if (strcmp(now, count))
			break;
		frz_sleep_ms(10);
	}
	ASSERT_STRNE(count, now);
	EXPECT_EQ(-EBUSY, frz_suspend(&frz_tasks_only));
	EXPECT_EQ(before + 2, frz_suspends("fail"));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(&word[0]);

	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
	EXPECT_EQ(1, frz_load(&word[1]));
}

/*
 * The machine is suspended by a process of a cgroup that is FROZEN, or on its
 * way there.
 *
 *	cg	a process held in write("/sys/power/state") before the kernel
 *		knows what is written, and one that stays busy if @busy
 *
 * Ask for a freeze, then let the write go on. The machine is suspended and
 * resumed; the writer is frozen when that is over, and goes on after the thaw.
 * A failure hangs the machine: nobody is left to resume it.
 */
static void suspends_inside(struct __test_metadata *_metadata, const char *cg,
			    bool busy)
{
	struct late *late = frz_shared(sizeof(*late));
	long before = frz_suspends("success");
	int fd;
	pid_t pid;

	if (busy)
		ASSERT_BUSY(cg, frz_busy_new(5000));
	late->file = FRZ_POWER "/state";
	late->text = "freeze";
	fd = late_start(cg, late, &pid);
	ASSERT_LE(0, fd);
	frz_write("/sys/module/suspend/parameters", "pm_test_delay", "0");
	ASSERT_EQ(0, frz_write(FRZ_POWER, "pm_test", "freezer"));
	ASSERT_EQ(0, frz_write_nonblock(cg, "freezer.state", "FROZEN"));
	ASSERT_BECOMES(cg, busy ? "FREEZING" : "FROZEN");

	ASSERT_EQ(0, fill_page(fd, (char *)late->page, "freeze"));
	frz_until(frz_suspends("success") != before, FRZ_LIMIT);
	EXPECT_EQ(before + 1, frz_suspends("success"));
	ASSERT_BECOMES(cg, "FROZEN");
	EXPECT_EQ(0, frz_load(&late->done));

	ASSERT_THAWS(cg);
	EXPECT_EQ(0, frz_wait_word(&late->done, 1, FRZ_LIMIT));
	EXPECT_EQ(6, late->ret);
	frz_write(FRZ_POWER, "pm_test", "none");
	close(fd);
}

FREEZER_TEST(suspended_from_inside_frozen)
{
	suspends_inside(_metadata, self->cg, false);
}

FREEZER_TEST(suspended_from_inside_freezing)
{
	suspends_inside(_metadata, self->cg, true);
}

struct snapshooter {
	unsigned long cycles;
	unsigned long alone;	/* steps with the rest of the system frozen */
	unsigned long failed;
};

/* What s2disk does: freeze the system, and go on in user mode. */
static int snapshoot(void *arg)
{
	struct snapshooter *s = arg;
	int fd = open("/dev/snapshot", O_RDONLY);

	if (fd < 0)
		return 1;
	for (;;) {
		int i;

		if (ioctl(fd, SNAPSHOT_FREEZE, 0)) {
			frz_store(&s->failed, errno);
		} else {
			for (i = 0; i < 1000; i++)
				frz_inc(&s->alone);
			if (ioctl(fd, SNAPSHOT_UNFREEZE, 0))
				frz_store(&s->failed, errno);
		}
		frz_inc(&s->cycles);
	}
	return 0;
}

/*
 * A process freezes the system and is in user mode afterwards, as only
 * /dev/snapshot allows, while its cgroup is frozen and thawed.
 *
 * If its cgroup held it then, nobody could ever thaw it: the machine hangs. If
 * the cgroup were FROZEN meanwhile, its counters would move in a FROZEN cgroup.
 */
FREEZER_LONG_TEST(snapshot_from_inside)
{
	struct snapshooter *s = frz_shared(sizeof(*s));
	int i;

	ASSERT_NE(NULL, s);
	ASSERT_PID(frz_spawn(self->cg, snapshoot, s));
	ASSERT_EQ(0, frz_wait_word(&s->cycles, 1, FRZ_LIMIT));
	for (i = 0; i < 40; i++) {
		unsigned long cycles, alone;

		ASSERT_FREEZES(self->cg);
		alone = frz_load(&s->alone);
		cycles = frz_load(&s->cycles);
		frz_sleep_ms(2);
		EXPECT_EQ(alone, frz_load(&s->alone));
		EXPECT_EQ(cycles, frz_load(&s->cycles));
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_word(&s->cycles, cycles + 1, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&s->failed));
}

/* A program that the kernel starts for a key, and waits for. */
#define UPCALL	"/sbin/request-key"
#define BEGUN	"/tmp/suspend_race_test.begun"
#define GATE	"/tmp/suspend_race_test.gate"

static int ask_for_key(void *unused)
{
	syscall(SYS_request_key, "user", "suspend_race_test", "x", 0);
	return 0;
}

static int make_upcall(void)
{
	static const char script[] = "#!/bin/sh\n: >" BEGUN "\nread x <" GATE "\n";
	int fd;

	unlink(UPCALL);
	unlink(BEGUN);
	unlink(GATE);
	mkdir("/sbin", 0755);
	fd = open(UPCALL, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0755);
	if (fd < 0 || write(fd, script, strlen(script)) < 0 || close(fd) ||
	    mkfifo(GATE, 0600))
		return -1;
	/* both ends, so that it lasts until this process has gone */
	return open(GATE, O_RDWR | O_CLOEXEC);
}

/*
 * Does it wait for the programs that the kernel has started? One whose sleep the kernel
 * does not name does so half a second after @begin.
 */
static bool waits_for_helpers(pid_t pid, int64_t begin)
{
	char dir[32], where[128];

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	if (!frz_read(dir, "wchan", where, sizeof(where)) && where[0] && strcmp(where, "0"))
		return strstr(where, "usermodehelper");
	return frz_now_ns() > begin + 500 * 1000000LL;
}

/*
 * Before SNAPSHOT_FREEZE freezes the system it waits for the programs that the
 * kernel has started. A task that sleeps there is going to be in user mode
 * later, so it is not at rest: its cgroup stays FREEZING, and becomes FROZEN
 * when the system has been thawed again.
 */
FREEZER_TEST(snapshot_waits_for_a_helper)
{
	struct snapshooter *s = frz_shared(sizeof(*s));
	int gate = make_upcall(), wait;
	int64_t begin;
	pid_t pid;

	ASSERT_NE(NULL, s);
	ASSERT_LE(0, gate);
	ASSERT_PID(frz_spawn(NULL, ask_for_key, NULL));
	ASSERT_TRUE(frz_until(!access(BEGUN, F_OK), FRZ_LIMIT));

	pid = ASSERT_PID(frz_spawn(self->cg, snapshoot, s));
	/* past the sync, and not for as long as the kernel is ready to wait */
	begin = frz_now_ns();
	ASSERT_TRUE(frz_until(waits_for_helpers(pid, begin), FRZ_LIMIT));
	ASSERT_EQ('D', frz_task_state(pid));
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	begin = frz_now_ns();
	for (wait = 0; wait < 50 && frz_now_ns() < begin + 2000 * 1000000LL; wait++) {
		frz_sleep_ms(10);
		EXPECT_EQ('D', frz_task_state(pid));
		EXPECT_STATE(self->cg, "FREEZING");
	}
	EXPECT_EQ(0, frz_load(&s->alone));

	ASSERT_EQ(1, write(gate, "\n", 1));
	EXPECT_EQ(0, frz_wait_state(self->cg, "FROZEN", FRZ_LIMIT));
	EXPECT_EQ(1000, frz_load(&s->alone));
	EXPECT_EQ(0, frz_load(&s->cycles));
	EXPECT_EQ(0, frz_load(&s->failed));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&s->cycles, 1, FRZ_LIMIT));
	close(gate);
	unlink(UPCALL);
	unlink(BEGUN);
	unlink(GATE);
}

struct forker {
	char cg[FRZ_PATH_MAX];
	unsigned long forked;
	unsigned long too_late;
	int snapshot;
};

static struct forker *forker;

/* Or the machine would be lost. */
static void give_up(int sig)
{
	(void)sig;
	frz_store(&forker->too_late, 1);
	ioctl(forker->snapshot, SNAPSHOT_UNFREEZE, 0);
}

static int fork_alone(void *arg)
{
	struct forker *f = arg;
	pid_t pid;

	forker = f;
	f->snapshot = open("/dev/snapshot", O_RDONLY | O_CLOEXEC);
	if (f->snapshot < 0)
		return 1;
	signal(SIGALRM, give_up);
	alarm(10);
	if (ioctl(f->snapshot, SNAPSHOT_FREEZE, 0))
		return 2;
	frz_write_nonblock(f->cg, "freezer.state", "FROZEN");
	pid = fork();
	if (!pid)
		_exit(0);
	alarm(0);
	frz_store(&f->forked, 1);
	/* held from here on */
	if (!frz_load(&f->too_late))
		ioctl(f->snapshot, SNAPSHOT_UNFREEZE, 0);
	return pid < 0 || frz_wait_exit(pid, FRZ_LIMIT) ? 3 : 0;
}

/*
 * C12: no cgroup holds the task that suspends the system, which is the only one that can
 * end that. Nor is its fork held up: the child waits for the thaw instead.
 */
FREEZER_TEST(forks_while_suspended)
{
	struct forker *f = frz_shared(sizeof(*f));
	pid_t pid;

	ASSERT_NE(NULL, f);
	snprintf(f->cg, sizeof(f->cg), "%s", self->cg);
	pid = ASSERT_PID(frz_spawn(self->cg, fork_alone, f));
	EXPECT_EQ(0, frz_wait_word(&f->forked, 1, FRZ_LIMIT)) {
		TH_LOG("exit status %x", frz_wait_exit(pid, 0));
	}
	EXPECT_EQ(0, frz_load(&f->too_late));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
}

#define ALARM_MS	3000

static unsigned long *alarms;

static void on_alarm(int sig)
{
	frz_inc(alarms);
}

static int wait_for_alarms(void *word)
{
	struct itimerval once = { .it_value.tv_sec = ALARM_MS / 1000 };

	alarms = word;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &once, NULL);
	frz_inc(&alarms[1]);
	for (;;)
		pause();
	return 0;
}

static int die_of_alarm(void *word)
{
	struct sigevent ev = {
		.sigev_notify = SIGEV_SIGNAL,
		.sigev_signo = SIGKILL,
	};
	struct itimerspec once = { .it_value.tv_sec = ALARM_MS / 1000 };
	timer_t timer;

	if (timer_create(CLOCK_MONOTONIC, &ev, &timer) ||
	    timer_settime(timer, 0, &once, NULL))
		return 1;
	frz_inc(word);
	for (;;)
		pause();
	return 0;
}

/*
 * A deadline, and a kill, that come while the machine is suspended.
 *
 *	cg	a process with a timer that fires once, and a process that is
 *		killed by one
 *
 * Both deadlines pass after FROZEN and with the system frozen (pm_test waits).
 * After the resume nothing has happened; after the thaw the one has its alarm
 * once, and the other is dead.
 */
FREEZER_TEST(deadlines_while_suspended)
{
	unsigned long *word = ASSERT_WORDS(3);
	long long begin = frz_now_ns();
	pid_t pid, victim;
	pid_t list[4];

	/* a kill is to wait, whatever the host's default is */
	frz_write(self->cg, "freezer.killable", "0");
	pid = ASSERT_PID(frz_spawn(self->cg, wait_for_alarms, &word[0]));
	victim = ASSERT_PID(frz_spawn(self->cg, die_of_alarm, &word[2]));
	ASSERT_EQ(0, frz_wait_word(&word[1], 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_word(&word[2], 1, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_load(&word[0])) {
		TH_LOG("too slow: %lld ms", (frz_now_ns() - begin) / 1000000);
	}
	frz_write("/sys/module/suspend/parameters", "pm_test_delay", "3");
	ASSERT_EQ(0, frz_write(FRZ_POWER, "pm_test", "freezer"));
	EXPECT_EQ(0, frz_write(FRZ_POWER, "state", "freeze"));
	frz_write(FRZ_POWER, "pm_test", "none");
	while (frz_now_ns() < begin + 2 * ALARM_MS * 1000000LL)
		frz_sleep_ms(10);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(0, frz_load(&word[0]));
	/* in cgroup v2 a kill does not wait */
	EXPECT_EQ(frz_killable(self->cg) ? 1 : 2,
		  frz_list(self->cg, "cgroup.procs", list, 4));

	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&word[0], 1, FRZ_LIMIT));
	EXPECT_EQ(SIGKILL, WTERMSIG(frz_wait_exit(victim, FRZ_LIMIT)));
	EXPECT_EQ(0, frz_moved(&word[0], FRZ_WATCH));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, 0));
}

static int suspend_often(void *word)
{
	while (!frz_load((unsigned long *)word + 1)) {
		if (!frz_suspend(&frz_tasks_only))
			frz_inc(word);
	}
	return 0;
}

/*
 * The machine is suspended in a loop while a cgroup is frozen and thawed in a
 * loop.
 *
 *	cg	a process that spins, one that sleeps, one that naps
 *
 * While FROZEN none of them moves, and after each thaw they do. A task that is
 * lost between the two who hold it stands still for ever; one that gets away
 * moves in a FROZEN cgroup, or makes the suspend fail.
 */
FREEZER_TEST(loops)
{
	unsigned long *word = ASSERT_WORDS(4);
	long failed = frz_suspends("fail");
	int i;
	pid_t pid;

	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	pid = ASSERT_PID(frz_spawn(NULL, suspend_often, &word[2]));
	ASSERT_EQ(0, frz_wait_word(&word[2], 1, FRZ_LIMIT));
	for (i = 0; i < 150 || frz_load(&word[2]) < 20; i++) {
		unsigned long seen;

		ASSERT_FREEZES(self->cg);
		seen = frz_load(&word[0]);
		sched_yield();
		ASSERT_EQ(1, frz_state_is(self->cg, "FROZEN"));
		ASSERT_EQ(seen, frz_load(&word[0]));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&word[0], FRZ_LIMIT));
	}
	frz_store(&word[3], 1);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(failed, frz_suspends("fail"));
	EXPECT_EQ(1, frz_load(&word[1]));
	TH_LOG("%d freezes, %lu suspends", i, frz_load(&word[2]));
}

/*
 * CPU 1 goes away and comes back while its tasks are frozen.
 *
 *	cg	a process that spins and one that sleeps, both on CPU 1 only
 *
 * They are FROZEN all the time. Thawed while the CPU is away, they run on
 * another one; frozen there, and thawed when it is back, they run again.
 */
FREEZER_TEST(cpu_goes_away)
{
	static const char cpu1[] = "/sys/devices/system/cpu/cpu1";
	unsigned long *word = ASSERT_WORDS(2);
	cpu_set_t set, all;

	CPU_ZERO(&set);
	CPU_SET(1, &set);
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(set), &set));
	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(all), &all));

	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_write(cpu1, "online", "0"));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(&word[0]);
	EXPECT_EQ(0, frz_suspend(&frz_tasks_only));
	EXPECT_STANDS(&word[0]);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, frz_write(cpu1, "online", "1"));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(&word[0]);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[0]);
	EXPECT_EQ(1, frz_load(&word[1]));
}

static int toggle_cpu1(void *word)
{
	static const char cpu1[] = "/sys/devices/system/cpu/cpu1";

	while (!frz_load((unsigned long *)word + 1)) {
		if (frz_write(cpu1, "online", "0"))
			return 1;
		if (frz_write(cpu1, "online", "1"))
			return 2;
		frz_inc(word);
	}
	return 0;
}

/*
 * CPU 1 comes and goes in a loop while a cgroup is frozen and thawed in a loop.
 *
 *	cg	two processes that spin, one that sleeps
 *
 * FROZEN each time, and then nothing moves; each goes on after each thaw. A task
 * that was kicked on a CPU that went away must not be waited for there.
 */
FREEZER_TEST(cpus_come_and_go)
{
	unsigned long *word = ASSERT_WORDS(5);
	int i;
	pid_t pid;

	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SPINNER(self->cg, &word[1]);
	ASSERT_SLEEPER(self->cg, &word[2]);
	pid = ASSERT_PID(frz_spawn(NULL, toggle_cpu1, &word[3]));
	for (i = 0; i < 100 || frz_load(&word[3]) < 10; i++) {
		unsigned long seen[2];

		ASSERT_FREEZES(self->cg);
		seen[0] = frz_load(&word[0]);
		seen[1] = frz_load(&word[1]);
		sched_yield();
		ASSERT_EQ(1, frz_state_is(self->cg, "FROZEN"));
		ASSERT_EQ(seen[0], frz_load(&word[0]));
		ASSERT_EQ(seen[1], frz_load(&word[1]));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&word[0], FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_move(&word[1], FRZ_LIMIT));
	}
	frz_store(&word[4], 1);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(1, frz_load(&word[2]));
	TH_LOG("%d freezes, CPU 1 went %lu times", i, frz_load(&word[3]));
}

TEST_HARNESS_MAIN
