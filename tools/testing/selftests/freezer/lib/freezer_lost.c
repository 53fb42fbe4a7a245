// SPDX-License-Identifier: GPL-2.0
/*
 * The time that the machine loses. See freezer_lost.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "freezer_lost.h"
#include "freezer_util.h"

/* A watcher sleeps for SLEEP_MS, and may come back so much later. */
#define SLEEP_MS	5
#define SLACK_MS	2

/* Not more CPUs than that are watched. */
#define CPUS_MAX	64

#define START_MS	20000

/**
 * struct stamp - what a watcher says before each sleep
 * @lost_ns: what its CPU has lost until now
 * @begin_ns: when the sleep began
 */
struct stamp {
	int64_t lost_ns;
	int64_t begin_ns;
};

/**
 * struct watched - a CPU that is watched
 * @cpu: its number
 * @turn: the number of the last stamp
 * @stamp: that one, and the one before
 */
struct watched {
	int cpu;
	unsigned long turn;
	struct stamp stamp[2];
} __attribute__((aligned(64)));

/**
 * struct watch - shared with the watchers and with the caller's other children
 * @up: number of watchers that are at work
 * @nr: number of those that there are
 * @expected_ns: what a sleep may take
 * @watched: the CPUs
 */
struct watch {
	unsigned long up;
	unsigned long nr;
	int64_t expected_ns;
	struct watched watched[CPUS_MAX];
};

static struct watch *watch;

static void put_stamp(struct watched *w, int64_t lost_ns, int64_t begin_ns)
{
	unsigned long turn = w->turn + 1;

	/* The last turn is seen before its other stamp changes. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	w->stamp[turn % 2].lost_ns = lost_ns;
	w->stamp[turn % 2].begin_ns = begin_ns;
	frz_store(&w->turn, turn);
}

static struct stamp get_stamp(const struct watched *w)
{
	struct stamp stamp;
	unsigned long turn;

	do {
		turn = frz_load(&w->turn);
		stamp = w->stamp[turn % 2];
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
	} while (frz_load(&w->turn) != turn);
	return stamp;
}

/* What of a sleep from @begin_ns until @now_ns was lost. */
static int64_t late_ns(int64_t begin_ns, int64_t now_ns)
{
	int64_t late = now_ns - begin_ns - watch->expected_ns;

	return late > 0 ? late : 0;
}

static void *watch_cpu(void *arg)
{
	struct watched *w = arg;
	int64_t lost = 0, begin, now;
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(w->cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		_exit(errno);
	begin = frz_now_ns();
	put_stamp(w, lost, begin);
	frz_inc(&watch->up);
	for (;;) {
		frz_sleep_ms(SLEEP_MS);
		now = frz_now_ns();
		lost += late_ns(begin, now);
		begin = now;
		put_stamp(w, lost, begin);
	}
	return NULL;
}

/* The OOM killer is to take somebody else; where that is refused it may take us. */
static void stay_alive(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY);

	if (fd >= 0) {
		if (write(fd, "-1000", 5) != 5)
			errno = 0;
		close(fd);
	}
	signal(SIGALRM, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
}

static void watch_all(pid_t caller)
{
	pthread_t thread;
	unsigned long i;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != caller)
		_exit(0);
	stay_alive();
	/* Whoever waits for the end of a pipe must not wait for us. */
	syscall(SYS_close_range, 0, ~0U, 0);
	for (i = 0; i < watch->nr; i++)
		if (pthread_create(&thread, NULL, watch_cpu, &watch->watched[i]))
			_exit(EAGAIN);
	for (;;)
		pause();
}

/* A realtime child of the caller; nothing of it stays where that is refused. */
static int start_child(void)
{
	struct sched_param param = { .sched_priority = sched_get_priority_max(SCHED_FIFO) };
	pid_t pid, caller = getpid();
	int status = -ETIMEDOUT;
	bool up;

	fflush(NULL);
	pid = fork();
	if (!pid) {
		if (sched_setscheduler(0, SCHED_FIFO, &param))
			_exit(EPERM);
		watch_all(caller);
	}
	if (pid < 0)
		return -errno;
	up = frz_until(frz_load(&watch->up) == watch->nr ||
		       (status = frz_wait_exit(pid, 0)) != -ETIMEDOUT, START_MS);
	if (up && status == -ETIMEDOUT)
		return 0;
	if (up)
		return WIFEXITED(status) && status ? -WEXITSTATUS(status) : -EIO;
	kill(pid, SIGKILL);
	frz_wait_exit(pid, START_MS);
	return -ETIMEDOUT;
}

int frz_lost_start(void)
{
	struct timespec tick;
	cpu_set_t all;
	int cpu, err;

	if (watch)
		return 0;
	if (sched_getaffinity(0, sizeof(all), &all))
		return -errno;
	watch = frz_shared(sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	for (cpu = 0; cpu < CPU_SETSIZE && watch->nr < CPUS_MAX; cpu++)
		if (CPU_ISSET(cpu, &all))
			watch->watched[watch->nr++].cpu = cpu;
	watch->expected_ns = (SLEEP_MS + SLACK_MS) * 1000000LL;
	/* Where the timers are those of the ticks, a sleep ends with the one after the next. */
	if (!clock_getres(CLOCK_MONOTONIC, &tick) && tick.tv_nsec > 1000)
		watch->expected_ns += 2 * tick.tv_nsec;
	err = start_child();
	if (err)
		watch->nr = 0;
	return err == -EPERM ? 0 : err;
}

int64_t frz_lost_ns(void)
{
	unsigned long i, nr = watch ? watch->nr : 0;
	struct stamp stamp;
	int64_t sum = 0;

	for (i = 0; i < nr; i++) {
		stamp = get_stamp(&watch->watched[i]);
		sum += stamp.lost_ns + late_ns(stamp.begin_ns, frz_now_ns());
	}
	return sum;
}
