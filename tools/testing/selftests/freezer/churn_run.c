// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: the runner. It starts the crowd of one mode, freezes and thaws it,
 * and judges each time.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "churn.h"
#include "churn_run.h"
#include "freezer_check.h"
#include "freezer_lost.h"
#include "freezer_v2.h"

#define START_MS	30000
#define DESTROY_MS	15000

struct churn_run run;

static int64_t *times;
static pid_t worker_pid[CHURN_WORKERS_MAX + 1];
static int write_fd[2];

static void beat(void)
{
	__atomic_fetch_add(&churn->beat, 1, __ATOMIC_RELAXED);
}

/* A moment, and what the machine had lost by then. */
struct moment {
	int64_t ns;
	int64_t lost_ns;
};

static struct moment now(void)
{
	return (struct moment){ .ns = frz_now_ns(), .lost_ns = frz_lost_ns() };
}

/* The time since then, without what the machine has lost of it. */
static int64_t had_since(const struct moment *then)
{
	struct moment m = now();

	return m.ns - then->ns - (m.lost_ns - then->lost_ns);
}

/*
 * Read until FROZEN, for @ms since @start of what the machine has had, but not for ever
 * where it loses nearly all.
 */
static bool wait_frozen(const struct moment *start, int ms)
{
	int64_t since = frz_now_ns(), left;
	int64_t bound = start->ns + (ms + ALIVE_MS) * 1000000LL;
	char state[32];

	while (!read_state(state)) {
		left = ms * 1000000LL - had_since(start);
		if (left <= 0 || frz_now_ns() >= bound || churn_stopped())
			return false;
		look_again(since, frz_now_ns() + left, 20);
	}
	return true;
}

void reap_children(bool stopping)
{
	int status, i;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		for (i = 0; i <= churn->nr_workers; i++) {
			if (worker_pid[i] != pid)
				continue;
			worker_pid[i] = 0;
			if (!stopping)
				FAULT(run.res->errors,
				      "worker %d ended, status 0x%x", i,
				      status);
		}
	}
}

static void start_worker(int i)
{
	const struct churn_kind *kind = run.mode->kind;
	struct churn_slot *me = &churn->slot[2 * i];
	int nr = 0, where = CHURN_TOP;
	pid_t runner = getpid();
	bool contained;

	while (nr < 8 && kind[nr].fn)
		nr++;
	if (run.mode->flags & MODE_SERVER)
		kind += i ? 1 + (i - 1) % (nr - 1) : 0;
	else if (run.last == CHURN_LOW)
		kind += i / 3 % nr;
	else
		kind += i % nr;
	if (run.last == CHURN_LOW)
		where = i % 3;
	if (kind->outside)
		where = CHURN_NOWHERE;

	/* In use from now on: the crowd is not up before this one runs. */
	churn_use(me, where, 0);
	contained = run.opt->contained && !kind->outside;
	worker_pid[i] = contained ? churn_fork_contained(me, where) : fork();
	if (worker_pid[i])
		return;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	setpriority(PRIO_PROCESS, 0, 0);
	if (getppid() != (contained ? 1 : runner))
		_exit(0);
	if (where != CHURN_NOWHERE)
		churn_join(me, where);
	churn_use(me, where, getpid());
	kind->fn(me);
	_exit(0);
}

static void start_mover(void)
{
	int i = churn->nr_workers;

	worker_pid[i] = fork();
	if (worker_pid[i])
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGTERM, SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	setpriority(PRIO_PROCESS, 0, 0);
	churn_mover(run.mode->flags);
}

static void hold_mover(bool hold)
{
	int64_t since = frz_now_ns(), deadline = since + ALIVE_MS * 1000000LL;

	if (!(run.mode->flags & MODE_BESIDE))
		return;
	/* The killer says more when somebody does not die. */
	if (run.mode->flags & MODE_KILLS)
		deadline += KILLED_MS * 1000000LL;
	if (hold)
		__atomic_store_n(&churn->mover_held, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&churn->hold_mover, hold, __ATOMIC_SEQ_CST);
	while (hold && !__atomic_load_n(&churn->mover_held, __ATOMIC_SEQ_CST)) {
		if (frz_now_ns() >= deadline || churn_stopped()) {
			FAULT(run.res->hung, "the mover hangs, task %d",
			      worker_pid[churn->nr_workers]);
			return;
		}
		look_again(since, deadline, 100);
	}
}

/* As write(2) does */
static ssize_t write_frozen(bool blocking)
{
	const char *path = churn->path[run.first];
	int err;

	if (!run.by_path)
		return write(write_fd[!blocking], "FROZEN", 6);
	err = blocking ? frz_freeze(path) :
			 frz_write_nonblock(path, "freezer.state", "FROZEN");
	errno = -err;
	return err ? -1 : 6;
}

/*
 * Write FROZEN; what it took, without what the machine has lost of that, goes to @ns.
 * Return: whether it is FROZEN.
 */
static bool freeze(bool blocking, const struct moment *start, int64_t *ns)
{
	struct itimerval bound = {
		.it_value.tv_sec = run.opt->limit_ms / 1000 + 5,
	};
	struct itimerval off = { 0 };
	bool moving = run.mode->flags & MODE_BESIDE;
	bool frozen;
	char state[32];
	ssize_t ret;
	int err;

	setitimer(ITIMER_REAL, &bound, NULL);
	ret = write_frozen(blocking);
	err = errno;
	setitimer(ITIMER_REAL, &off, NULL);
	*ns = had_since(start);
	frozen = read_state(state);
	if (ret == 6 && blocking && run.waits) {
		/* The mover may have put another task in since. */
		if (frozen || moving)
			return true;
		FAULT(run.res->errors,
		      "the write has returned success, and the state is %s",
		      state);
	} else if (ret != 6 && !(blocking && err == EBUSY)) {
		FAULT(run.res->errors, "write of FROZEN: %zd (%s), state %s", ret,
		      strerror(err), state);
	}
	if (!frozen) {
		frozen = wait_frozen(start, LATE_MS);
		*ns = had_since(start);
	}
	return frozen;
}

static void thaw(void)
{
	int ret = frz_thaw(churn->path[run.first]);

	if (ret)
		FAULT(run.res->errors, "write of THAWED: %d", ret);
	else if (frz_state_is(churn->path[run.first], "THAWED") != 1)
		FAULT(run.res->errors, "not THAWED after the write");
}

static void one_freeze(void)
{
	static uint64_t since[2 * CHURN_WORKERS_MAX];
	bool blocking = run.opt->how == CHURN_BLOCKING ||
			(run.opt->how == CHURN_BOTH && (run.nr & 1));
	struct moment start = now(), done, held;
	int64_t ns, lost_ns;
	bool frozen;
	int i;

	beat();
	frozen = freeze(blocking, &start, &ns);
	if (!frozen || ns > LATE_MS * 1000000LL) {
		if (run.res->late++ < NOTES_MAX || run.opt->verbose) {
			churn_note("LATE: not FROZEN after %lld ms (%s write); those not frozen:",
				   (long long)ns / 1000000,
				   blocking ? "blocking" : "O_NONBLOCK");
			churn_dump_tasks(run.first, run.last, true);
		}
		beat();
		if (!frozen)
			frozen = wait_frozen(&start, run.opt->limit_ms);
		run.res->stuck += !frozen;
	}
	done = now();
	ns = done.ns - start.ns;
	lost_ns = done.lost_ns - start.lost_ns;
	times[run.res->freezes++] = ns;

	if (frozen && run.mode->flags & MODE_BESIDE) {
		check_moving_window();
		hold_mover(true);
		held = now();
		if (!wait_frozen(&held, LATE_MS)) {
			FAULT(run.res->late,
			      "LATE: not FROZEN, after the moves have ended");
			churn_dump_tasks(run.first, run.last, true);
			frozen = false;
		}
	}
	beat();
	if (frozen)
		check_window(ns, lost_ns);

	beat();
	for (i = 0; i < 2 * churn->nr_workers; i++)
		since[i] = slot_count(i);
	thaw();
	hold_mover(false);
	i = wait_moving(since, false, ALIVE_MS);
	if (i && !churn_stopped()) {
		FAULT(run.res->hung, "HUNG: %d tasks do not go on after the thaw",
		      i);
		churn_dump_tasks(CHURN_TOP, run.last, false);
	}
}

static int compare_times(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void sum_up(void)
{
	int i;

	if (run.res->freezes) {
		qsort(times, run.res->freezes, sizeof(*times), compare_times);
		run.res->median_ns = times[run.res->freezes / 2];
		run.res->slowest_ns = times[run.res->freezes - 1];
	}
	for (i = 0; i < 2 * churn->nr_workers; i++) {
		const struct churn_slot *slot = &churn->slot[i];

		if (run.opt->verbose && slot->flags & SLOT_USED)
			printf("# %s: worker %d, task %d: %llu rounds\n",
			       run.mode->name, i / 2, slot->tid,
			       (unsigned long long)slot_count(i));
		if (!slot->leaks)
			continue;
		if (run.res->leaks < NOTES_MAX || run.opt->verbose)
			printf("# %s: LEAK: worker %d, task %d, %u times, first: %s\n",
			       run.mode->name, i / 2, slot->tid, slot->leaks,
			       slot->leak);
		run.res->leaks += slot->leaks;
	}
	fflush(stdout);
}

/* Thaw, kill, reap: bounded. The supervisor reports the tasks that stay. */
static void clean_up(void)
{
	int64_t deadline;
	int i, ret;

	__atomic_store_n(&churn->stop, 1, __ATOMIC_SEQ_CST);
	beat();
	frz_thaw(churn->path[run.first]);
	if (run.mode->teardown)
		run.mode->teardown();
	for (i = 0; i <= churn->nr_workers; i++)
		if (worker_pid[i] > 0)
			kill(worker_pid[i], SIGKILL);
	for (i = CHURN_OTHER; i >= CHURN_TOP; i -= CHURN_OTHER) {
		ret = frz_destroy(churn->path[i], DESTROY_MS);
		if (ret) {
			FAULT(run.res->errors, "removal of %s: %d",
			      churn->path[i], ret);
			churn_dump_tasks(i, i, false);
		}
		beat();
	}
	deadline = frz_now_ns() + DESTROY_MS * 1000000LL;
	do {
		reap_children(true);
		errno = 0;
		if (waitpid(-1, NULL, WNOHANG) < 0 && errno == ECHILD)
			return;
		churn_usleep(1000);
	} while (frz_now_ns() < deadline);
	FAULT(run.res->errors, "children that do not die");
}

static int open_state(int flags)
{
	char path[FRZ_PATH_MAX + 32];
	int fd;

	snprintf(path, sizeof(path), "%s/freezer.state", churn->path[run.first]);
	fd = open(path, flags | O_CLOEXEC);
	if (fd < 0)
		FAULT(run.res->errors, "%s: %s", path, strerror(errno));
	return fd;
}

/* The cgroups, the limit for a write, the descriptors. */
static bool prepare(void)
{
	static const char * const names[] = { NULL, "mid", "low", NULL };
	char name[64];
	int i, ret;

	run.last = CHURN_TOP;
	if (run.mode->flags & (MODE_LEVELS | MODE_WITHIN) &&
	    !(run.mode->flags & MODE_CHILDREN))
		run.last = CHURN_LOW;
	run.first = run.mode->flags & MODE_MID ? CHURN_MID : CHURN_TOP;
	run.by_path = frz_hierarchies() & FRZ_IN_V2;
	if (run.by_path)
		run.patience_ms = frz2_patience_ms() > 0 ? frz2_patience_ms() : 0;
	/* The mover moves threads. */
	if (run.mode->flags & (MODE_MOVES | MODE_WITHIN))
		frz_threads_apart();
	for (i = CHURN_TOP; i < CHURN_NR_CGROUPS; i++) {
		if (i > run.last && i != CHURN_OTHER)
			continue;
		snprintf(name, sizeof(name), "churn.%d.%s%s", getppid(),
			 run.mode->name, i == CHURN_OTHER ? ".other" : "");
		ret = frz_create(churn->path[i],
				 names[i] ? churn->path[i - 1] : NULL,
				 names[i] ? names[i] : name);
		if (ret) {
			FAULT(run.res->errors, "mkdir of cgroup %d: %d", i, ret);
			return false;
		}
	}
	if (run.mode->flags & MODE_PER_NAMESPACE) {
		ret = frz_write(churn->path[CHURN_TOP], "freezer.per_namespace", "pid");
		if (ret) {
			FAULT(run.res->errors, "freezer.per_namespace: %d", ret);
			return false;
		}
	}
	snprintf(name, sizeof(name), "%d", run.opt->limit_ms);
	run.waits = !frz_write(churn->path[run.first], "freezer.timeout_ms", name);
	if (run.by_path) {
		run.waits = true;
		return true;
	}
	write_fd[0] = open_state(O_WRONLY);
	write_fd[1] = open_state(O_WRONLY | O_NONBLOCK);
	run.state_fd = open_state(O_RDONLY);
	return write_fd[0] >= 0 && write_fd[1] >= 0 && run.state_fd >= 0;
}

static bool start_crowd(void)
{
	static const uint64_t zero[2 * CHURN_WORKERS_MAX];
	int i;

	for (i = 0; i < churn->nr_workers; i++) {
		start_worker(i);
		if (worker_pid[i] < 0) {
			FAULT(run.res->errors, "fork: %s", strerror(errno));
			return false;
		}
	}
	/* Partners are in use before their workers count the first round. */
	if (wait_moving(zero, false, START_MS)) {
		FAULT(run.res->errors, "the crowd does not come up");
		churn_dump_tasks(CHURN_TOP, run.last, false);
		return false;
	}
	if (run.mode->flags & MODE_BESIDE)
		start_mover();
	return true;
}

static void on_alarm(int sig)
{
	(void)sig;
}

static void on_term(int sig)
{
	(void)sig;
	__atomic_store_n(&churn->stop, 1, __ATOMIC_SEQ_CST);
}

void churn_run(const struct churn_mode *m, const struct churn_options *o)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	bool stopped;

	run.mode = m;
	run.opt = o;
	run.res = &churn->result;
	/* An alarm ends a write that does not come back: no SA_RESTART. */
	sigaction(SIGALRM, &sa, NULL);
	sa.sa_handler = on_term;
	sigaction(SIGTERM, &sa, NULL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	prctl(PR_SET_TIMERSLACK, 1);
	/* The judge must not wait for the crowd. */
	setpriority(PRIO_PROCESS, 0, -20);
	times = calloc(run.opt->freezes + FRZ_LISTS_UNJUDGED + FRZ_LISTS_LOST, sizeof(*times));

	churn->nr_workers = run.opt->workers ? run.opt->workers : run.mode->workers;
	if (run.mode->setup && run.mode->setup())
		_exit(0);
	if (times && prepare() && start_crowd()) {
		while (run.nr < run.opt->freezes + run.res->unjudged.nr && !churn_stopped()) {
			/* Past three of these there is nothing to learn. */
			if (run.res->hung >= NOTES_MAX || run.res->errors > 1000)
				break;
			run.nr++;
			if (churn_rand() % 4)
				churn_usleep(churn_rand() % 5000);
			one_freeze();
			reap_children(false);
		}
	}
	stopped = churn_stopped();
	clean_up();
	sum_up();
	run.res->complete = !stopped &&
			    run.res->freezes == run.opt->freezes + run.res->unjudged.nr;
	_exit(0);
}
