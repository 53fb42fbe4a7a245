// SPDX-License-Identifier: GPL-2.0
/*
 * What freezing and thawing sleeping processes costs: the v1 freezer (of
 * whichever kernel this runs on), v2's cgroup.freeze, and SIGSTOP.
 *
 * The crowd: N processes, a quarter each asleep in nanosleep, epoll_wait, the
 * read of a pipe, and pause. It is in a cgroup of each hierarchy at once.
 *
 *   freeze       from the request until the caller knows that all is frozen:
 *                the return of the blocking write where a write waits
 *                (freezer.timeout_ms exists), else reads of freezer.state with
 *                pauses that grow from 5 to 80 us; v2: poll of cgroup.events until "frozen 1";
 *                SIGSTOP: kill() and waitid() of each process
 *   after        work that the kernel and the crowd do after that moment
 *   thaw, write  the write (kill() of each), until it returns
 *   thaw, all    the same and all work of kernel and crowd after it, until
 *   work         everybody is asleep again
 *
 * Work after a call is what is stolen from a SCHED_IDLE task that does nothing
 * but read the clock for a while: gaps between its readings, less what such a
 * while steals when nothing was asked for (ticks). So deferred work, interrupts
 * and kernel threads count as well.
 *
 * The figures mean most on one CPU with a deterministic clock (QEMU -icount).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "freezer_util.h"

#define ROUNDS_MAX	1000
#define LIMIT_MS	20000

enum method { V1, V2, STOP, NR_METHODS };

/* A kind of process, beside the four that sleep. */
#define SPIN		4

static const char * const method_name[] = { "v1", "v2", "SIGSTOP" };

struct series {
	int nr;
	int64_t ns[ROUNDS_MAX];
};

static char v1_path[FRZ_PATH_MAX], v2_root[64], v2_path[FRZ_PATH_MAX];
static int v1_fd = -1, v2_fd = -1, v2_events = -1;
/* A write of FROZEN returns when it is FROZEN. */
static bool v1_waits;
static char release[65];
static bool failed;

static pid_t *crowd;
static int crowd_size;
static uint32_t *crowd_ready;

static void fail(const char *what, int64_t seen)
{
	printf("# FAILED: %s: %lld\n", what, (long long)seen);
	failed = true;
}

static void set_policy(int policy)
{
	struct sched_param param = {
		.sched_priority = policy == SCHED_FIFO ? 1 : 0,
	};

	if (sched_setscheduler(0, policy, &param))
		fail("sched_setscheduler", -errno);
}

/* The time that others took from a SCHED_IDLE task within @window. */
static int64_t stolen(int64_t window)
{
	int64_t last = frz_now_ns(), end = last + window, sum = 0;
	int64_t shortest = INT64_MAX;

	set_policy(SCHED_IDLE);
	while (last < end) {
		int64_t now = frz_now_ns(), gap = now - last;

		if (gap < shortest)
			shortest = gap;
		if (gap > 2 * shortest)
			sum += gap - shortest;
		last = now;
	}
	set_policy(SCHED_OTHER);
	return sum;
}

/* How long others are watched. */
static int64_t window_ns;

static int compare(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void add(struct series *s, int64_t ns)
{
	if (s->nr < ROUNDS_MAX)
		s->ns[s->nr++] = ns;
}

static int64_t median(struct series *s)
{
	if (!s->nr)
		return 0;
	qsort(s->ns, s->nr, sizeof(s->ns[0]), compare);
	return s->ns[s->nr / 2];
}

/* What the samples of @s have above the usual @base. */
static void subtract(struct series *s, struct series *base)
{
	int64_t usual = median(base);
	int i;

	for (i = 0; i < s->nr; i++)
		s->ns[i] = s->ns[i] > usual ? s->ns[i] - usual : 0;
}

static void report(const char *what, const char *how, int n, struct series *s)
{
	int64_t mid = median(s);

	if (!s->nr)
		return;
	printf("%-26s %-8s %6d %12.1f %12.1f %12.1f\n", what, how, n,
	       s->ns[0] / 1e3, mid / 1e3, s->ns[s->nr - 1] / 1e3);
	printf("csv,%s,%s,%s,%d,%lld,%lld,%lld,%d\n", release, what, how, n,
	       (long long)s->ns[0], (long long)mid,
	       (long long)s->ns[s->nr - 1], s->nr);
	fflush(stdout);
}

static void sleeper(int kind)
{
	struct timespec ts = { .tv_sec = 1000000 };
	struct epoll_event ev;
	int ep = -1, p[2] = { -1, -1 };
	char c;

	if (kind == 1)
		ep = epoll_create1(0);
	if (kind == 2 && pipe(p))
		_exit(1);
	__atomic_fetch_add(crowd_ready, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		switch (kind) {
		case 0:
			nanosleep(&ts, NULL);
			break;
		case 1:
			epoll_wait(ep, &ev, 1, -1);
			break;
		case 2:
			(void)!read(p[0], &c, 1);
			break;
		case 3:
			pause();
			break;
		default:	/* SPIN */
			break;
		}
	}
}

/* Runnable tasks, as /proc/loadavg counts them. */
static int nr_running(void)
{
	char text[128];
	int running;

	if (frz_read("/proc", "loadavg", text, sizeof(text)) ||
	    sscanf(text, "%*s %*s %*s %d", &running) != 1)
		return -1;
	return running;
}

/* Until nobody but the caller is runnable. */
static void wait_quiet(void)
{
	int64_t deadline = frz_now_ns() + LIMIT_MS * 1000000LL;

	while (nr_running() > 1 && frz_now_ns() < deadline)
		frz_sleep_ms(1);
	if (nr_running() > 1)
		fail("not all are asleep, runnable tasks", nr_running());
}

/*
 * @n processes; @kind -1: a quarter of each kind of sleep. They are born into
 * the cgroups, where the caller is for a moment.
 */
static void crowd_start(int n, int kind)
{
	pid_t self = getpid();
	int64_t deadline;

	*crowd_ready = 0;
	crowd_size = 0;
	frz_move_process(v1_path, self);
	if (v2_fd >= 0)
		frz_move_process(v2_path, self);
	fflush(NULL);
	while (crowd_size < n) {
		pid_t pid = fork();

		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (crowd_size)
				setpgid(0, crowd[0]);
			else
				setpgid(0, 0);
			sleeper(kind < 0 ? crowd_size % 4 : kind);
		}
		if (pid < 0) {
			fail("fork", -errno);
			break;
		}
		if (!crowd_size)
			setpgid(pid, pid);
		crowd[crowd_size++] = pid;
	}
	frz_move_process(frz_root(), self);
	if (v2_fd >= 0)
		frz_move_process(v2_root, self);
	deadline = frz_now_ns() + 10 * LIMIT_MS * 1000000LL;
	while (__atomic_load_n(crowd_ready, __ATOMIC_SEQ_CST) < (uint32_t)n &&
	       frz_now_ns() < deadline)
		frz_sleep_ms(1);
	if (*crowd_ready != (uint32_t)n)
		fail("processes that came up", *crowd_ready);
}

static void crowd_end(void)
{
	int i;

	for (i = 0; i < crowd_size; i++)
		kill(crowd[i], SIGKILL);
	for (i = 0; i < crowd_size; i++)
		if (frz_wait_exit(crowd[i], LIMIT_MS) < 0)
			fail("a process does not die", crowd[i]);
	crowd_size = 0;
}

static bool v1_is(const char *state)
{
	char text[32];
	ssize_t len = pread(v1_fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = 0;
	return !strncmp(text, state, strlen(state));
}

static void v1_freeze(void)
{
	struct timespec ts = { .tv_nsec = 5000 };
	int64_t deadline = frz_now_ns() + LIMIT_MS * 1000000LL;

	if (write(v1_fd, "FROZEN", 6) != 6)
		fail("write of FROZEN", -errno);
	if (v1_waits)
		return;
	while (!v1_is("FROZEN")) {
		if (frz_now_ns() > deadline) {
			fail("not FROZEN", 0);
			return;
		}
		nanosleep(&ts, NULL);
		if (ts.tv_nsec < 80000)
			ts.tv_nsec *= 2;
	}
}

static void v2_freeze(void)
{
	struct pollfd pfd = { .fd = v2_events, .events = POLLPRI };
	int64_t deadline = frz_now_ns() + LIMIT_MS * 1000000LL;
	char text[128];

	if (write(v2_fd, "1", 1) != 1)
		fail("write of cgroup.freeze", -errno);
	for (;;) {
		ssize_t len = pread(v2_events, text, sizeof(text) - 1, 0);

		text[len > 0 ? len : 0] = 0;
		if (strstr(text, "frozen 1"))
			return;
		if (frz_now_ns() > deadline) {
			fail("cgroup.events does not say frozen 1", 0);
			return;
		}
		poll(&pfd, 1, 1000);
	}
}

static void stop_all(void)
{
	siginfo_t info;
	int i;

	for (i = 0; i < crowd_size; i++)
		kill(crowd[i], SIGSTOP);
	for (i = 0; i < crowd_size; i++)
		if (waitid(P_PID, crowd[i], &info, WSTOPPED))
			fail("waitid", -errno);
}

static void freeze(enum method how)
{
	switch (how) {
	case V1:
		v1_freeze();
		break;
	case V2:
		v2_freeze();
		break;
	default:
		stop_all();
		break;
	}
}

static void thaw(enum method how)
{
	int i;

	switch (how) {
	case V1:
		if (write(v1_fd, "THAWED", 6) != 6)
			fail("write of THAWED", -errno);
		break;
	case V2:
		if (write(v2_fd, "0", 1) != 1)
			fail("write of cgroup.freeze", -errno);
		break;
	default:
		for (i = 0; i < crowd_size; i++)
			kill(crowd[i], SIGCONT);
		break;
	}
}

/* @spins: somebody never sleeps, so the rest of the work has no end. */
static void bench_freeze(enum method how, int rounds, const char *who,
			 bool spins)
{
	static struct series frozen, after, write, work, base;
	char what[64];
	int i;

	frozen.nr = 0;
	after.nr = 0;
	write.nr = 0;
	work.nr = 0;
	base.nr = 0;
	/* The first round only warms up. */
	for (i = 0; i <= rounds && !failed; i++) {
		int64_t start = frz_now_ns(), ns[5] = { 0 };

		freeze(how);
		ns[0] = frz_now_ns() - start;
		if (!spins)
			ns[1] = stolen(window_ns);
		start = frz_now_ns();
		thaw(how);
		ns[2] = frz_now_ns() - start;
		if (spins) {
			frz_sleep_ms(5);
		} else {
			ns[3] = stolen(window_ns);
			wait_quiet();
			ns[4] = stolen(window_ns);
		}
		if (!i)
			continue;
		add(&frozen, ns[0]);
		add(&after, ns[1]);
		add(&write, ns[2]);
		add(&work, ns[3]);
		add(&base, ns[4]);
	}
	subtract(&after, &base);
	subtract(&work, &base);
	for (i = 0; i < work.nr; i++)
		work.ns[i] += write.ns[i];
	snprintf(what, sizeof(what), "%s: freeze", who);
	report(what, method_name[how], crowd_size, &frozen);
	if (spins)
		return;
	snprintf(what, sizeof(what), "%s: after", who);
	report(what, method_name[how], crowd_size, &after);
	snprintf(what, sizeof(what), "%s: thaw, write", who);
	report(what, method_name[how], crowd_size, &write);
	snprintf(what, sizeof(what), "%s: thaw, all work", who);
	report(what, method_name[how], crowd_size, &work);
}

/* A read-only walk over the crowd in the kernel, as little as there is. */
static void bench_walk(int rounds)
{
	static struct series s;
	int i;

	s.nr = 0;
	for (i = 0; i < rounds; i++) {
		int64_t start = frz_now_ns();

		getpriority(PRIO_PGRP, crowd[0]);
		add(&s, frz_now_ns() - start);
	}
	report("walk (getpriority)", "-", crowd_size, &s);
}

static void bench_read(const char *state, int rounds)
{
	static struct series kept, opened;
	char what[64], path[FRZ_PATH_MAX + 32], text[32];
	int i;

	if (!v1_is(state)) {
		printf("# state %s was not to be had\n", state);
		return;
	}
	snprintf(path, sizeof(path), "%s/freezer.state", v1_path);
	kept.nr = 0;
	opened.nr = 0;
	for (i = 0; i < rounds; i++) {
		int64_t start = frz_now_ns();
		int fd;

		if (pread(v1_fd, text, sizeof(text), 0) <= 0)
			fail("read of the state", -errno);
		add(&kept, frz_now_ns() - start);
		start = frz_now_ns();
		fd = open(path, O_RDONLY);
		if (fd < 0 || read(fd, text, sizeof(text)) <= 0)
			fail("read of the state", -errno);
		close(fd);
		add(&opened, frz_now_ns() - start);
	}
	if (!v1_is(state))
		fail("the state has changed while it was read", 0);
	snprintf(what, sizeof(what), "read %s: pread", state);
	report(what, "v1", crowd_size, &kept);
	snprintf(what, sizeof(what), "read %s: open", state);
	report(what, "v1", crowd_size, &opened);
}

/*
 * Beside the crowd a task that spins; on one CPU it cannot come to rest as
 * long as a realtime task, the caller, does not sleep.
 */
static void bench_read_freezing(int rounds)
{
	char path[FRZ_PATH_MAX + 32];
	pid_t pid;
	int fd;

	snprintf(path, sizeof(path), "%s/freezer.state", v1_path);
	fd = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			;
	}
	frz_move_process(v1_path, pid);
	frz_sleep_ms(10);
	set_policy(SCHED_FIFO);
	if (fd < 0 || write(fd, "FROZEN", 6) != 6)
		fail("O_NONBLOCK write of FROZEN", -errno);
	bench_read("FREEZING", rounds);
	set_policy(SCHED_OTHER);
	close(fd);
	thaw(V1);
	kill(pid, SIGKILL);
	if (frz_wait_exit(pid, LIMIT_MS) < 0)
		fail("the spinning process does not die", pid);
}

static int open_in(const char *path, const char *file, int flags)
{
	char name[FRZ_PATH_MAX + 32];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, flags | O_CLOEXEC);
	if (fd < 0)
		fail(name, -errno);
	return fd;
}

/* v2 in a place of its own; without it the v2 figures are left out. */
static void setup_v2(void)
{
	snprintf(v2_root, sizeof(v2_root), "/tmp/bench.XXXXXX");
	if (!mkdtemp(v2_root))
		return;
	if (mount("bench", v2_root, "cgroup2", 0, NULL)) {
		rmdir(v2_root);
		return;
	}
	if (frz_create(v2_path, v2_root, "freezer_bench"))
		return;
	v2_fd = open_in(v2_path, "cgroup.freeze", O_RDWR);
	v2_events = open_in(v2_path, "cgroup.events", O_RDONLY);
}

static void teardown(void)
{
	if (v1_fd >= 0)
		thaw(V1);
	if (v2_fd >= 0)
		thaw(V2);
	crowd_end();
	if (v1_path[0] && frz_destroy(v1_path, LIMIT_MS))
		fail("rmdir in v1", -EBUSY);
	if (v2_path[0] && rmdir(v2_path))
		fail("rmdir in v2", -errno);
	if (v2_root[0] && !umount2(v2_root, MNT_DETACH))
		rmdir(v2_root);
}

static bool setup(int n)
{
	char text[32];
	int err = frz_setup();

	crowd = calloc(n, sizeof(*crowd));
	crowd_ready = frz_shared(sizeof(*crowd_ready));
	if (!err)
		err = frz_create(v1_path, NULL, "freezer_bench");
	if (err || !crowd || !crowd_ready) {
		fail("a cgroup of the v1 freezer", err);
		return false;
	}
	v1_fd = open_in(v1_path, "freezer.state", O_RDWR);
	snprintf(text, sizeof(text), "%d", LIMIT_MS);
	v1_waits = !frz_write(v1_path, "freezer.timeout_ms", text);
	setup_v2();
	/* 10000 processes want more than small machines allow. */
	snprintf(text, sizeof(text), "%d", 4 * n + 4096);
	if (n > 4096)
		frz_write("/proc/sys/kernel", "threads-max", text);
	prctl(PR_SET_TIMERSLACK, 1);
	return v1_fd >= 0;
}

static void print_head(int n)
{
	char clock[64] = "?";
	struct series s = { 0 };
	struct utsname uts;
	int i;

	uname(&uts);
	snprintf(release, sizeof(release), "%s", uts.release);
	frz_read("/sys/devices/system/clocksource/clocksource0",
		 "current_clocksource", clock, sizeof(clock));
	for (i = 0; i < 100; i++) {
		int64_t start = frz_now_ns();

		add(&s, frz_now_ns() - start);
	}
	printf("# %s, %ld CPUs, clock %s (one reading: %lld ns), %d processes\n",
	       release, sysconf(_SC_NPROCESSORS_ONLN), clock,
	       (long long)median(&s), n);
	printf("# v1: a write of FROZEN %s\n", v1_waits ?
	       "waits until it is FROZEN" : "does not wait, the state is read");
	printf("# csv,release,what,method,processes,min ns,median ns,max ns,rounds\n");
	printf("%-26s %-8s %6s %12s %12s %12s\n", "what", "method", "n",
	       "min us", "median us", "max us");
}

static void bench_one(int kind, const char *who, int rounds)
{
	enum method how;

	crowd_start(1, kind);
	frz_sleep_ms(10);
	for (how = V1; how < NR_METHODS; how++)
		if (how != V2 || v2_fd >= 0)
			bench_freeze(how, rounds, who, kind == SPIN);
	crowd_end();
}

static void bench_many(int n, int rounds)
{
	enum method how;

	crowd_start(n, -1);
	wait_quiet();
	/* Longer than the slowest thaw: mainline needs 8 us per process. */
	window_ns = 20000000 + n * 20000LL;
	bench_walk(11);
	bench_read("THAWED", 101);
	for (how = V1; how < NR_METHODS && !failed; how++)
		if (how != V2 || v2_fd >= 0)
			bench_freeze(how, rounds, "crowd", false);
	freeze(V1);
	bench_read("FROZEN", 101);
	thaw(V1);
	wait_quiet();
	bench_read_freezing(101);
	wait_quiet();
}

static int parse_number(const char *text, int min, int max)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < min || value > max) {
		fprintf(stderr, "freezer_bench: %s: not a number from %d to %d\n",
			text, min, max);
		exit(2);
	}
	return value;
}

static void help(FILE *out)
{
	fputs("usage: freezer_bench [-N processes] [-r rounds]\n"
	      "Measure what freezing and thawing sleeping processes costs.\n"
	      "\n"
	      "  -N N    size of the crowd, 10000 if not given\n"
	      "  -r N    rounds with the crowd, 5 if not given (one task: ten times that)\n"
	      "  -h      this text\n", out);
}

int main(int argc, char **argv)
{
	int c, n = 10000, rounds = 5;

	while ((c = getopt(argc, argv, "N:r:h")) >= 0) {
		switch (c) {
		case 'N':
			n = parse_number(optarg, 1, 100000);
			break;
		case 'r':
			rounds = parse_number(optarg, 1, ROUNDS_MAX / 10);
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			help(stderr);
			return 2;
		}
	}
	if (setup(n)) {
		print_head(n);
		window_ns = 20000000;
		bench_one(0, "nanosleep", 10 * rounds);
		bench_one(1, "epoll_wait", 10 * rounds);
		bench_one(2, "pipe read", 10 * rounds);
		bench_one(3, "pause", 10 * rounds);
		bench_one(SPIN, "spin", 10 * rounds);
		bench_many(n, rounds);
	}
	teardown();
	printf("%s\n", failed ? "# FAILED" : "# done");
	return failed;
}
