// SPDX-License-Identifier: GPL-2.0
/*
 * What freezing costs: with the v1 freezer of whichever kernel this runs on,
 * with v2's cgroup.freeze, and with SIGSTOP; and what a freezer costs those
 * that do not use it.
 *
 *   mem     memory for each cgroup and each task       bench_mem.c
 *   crowd   freeze and thaw of N processes             bench_crowd.c
 *   read    reading freezer.state                      bench_crowd.c
 *   hot     system calls, signals, pipes, fork, ...    bench_hot.c
 *   slice   two jobs in turn, 10 ms each               bench_slice.c
 *   latency for how long interrupts are off            bench_latency.c
 *
 * The figures mean most on one CPU with a deterministic clock (QEMU -icount),
 * where a nanosecond is a number of instructions; "make bench" does that, with
 * our kernel, with our kernel less the option, and with the unpatched one.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

const char * const bench_method_name[] = { "v1", "v2", "SIGSTOP" };
const char * const bench_kind_name[] = {
	"nanosleep", "epoll_wait", "pipe read", "pause", "mix", "spin"
};

bool bench_failed;

static const char *kernel = "this";
static bool v1_here;
/* A write of FROZEN returns when it is FROZEN. */
static bool v1_waits;
static char v2_root[64];
static uint32_t *crowd_ready;

void bench_fail(const char *what, int64_t seen)
{
	printf("# FAILED: %s: %lld\n", what, (long long)seen);
	fflush(stdout);
	bench_failed = true;
}

void bench_progress(const char *format, ...)
{
	va_list args;

	printf("# [%8.3f] ", frz_now_ns() / 1e9);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

void bench_add(struct bench_series *s, double value)
{
	if (s->nr < BENCH_ROUNDS_MAX)
		s->value[s->nr++] = value;
}

double bench_median(struct bench_series *s)
{
	if (!s->nr)
		return 0;
	qsort(s->value, s->nr, sizeof(s->value[0]), compare);
	return s->value[s->nr / 2];
}

void bench_report(const char *part, const char *what, const char *method,
		  int n, const char *unit, struct bench_series *s)
{
	double median = bench_median(s);

	if (!s->nr)
		return;
	printf("%-8s %-32s %-8s %6d %12.3f %12.3f %12.3f %s\n", part, what,
	       method, n, s->value[0], median, s->value[s->nr - 1], unit);
	printf("csv,%s,%s,%s,%s,%d,%.4f,%.4f,%.4f,%d,%s\n", kernel, part, what,
	       method, n, s->value[0], median, s->value[s->nr - 1], s->nr,
	       unit);
	fflush(stdout);
}

void bench_report_one(const char *part, const char *what, const char *method,
		      int n, const char *unit, double value)
{
	struct bench_series s = { .nr = 1, .value = { value } };

	bench_report(part, what, method, n, unit, &s);
}

void bench_policy(int policy)
{
	struct sched_param param = {
		.sched_priority = policy == SCHED_FIFO ? 1 : 0,
	};

	if (sched_setscheduler(0, policy, &param))
		bench_fail("sched_setscheduler", -errno);
}

bool bench_has(enum bench_method how)
{
	switch (how) {
	case BENCH_V1:
		return v1_here;
	case BENCH_V2:
		return v2_root[0];
	default:
		return true;
	}
}

static void sleeper(enum bench_kind kind, unsigned long *counter)
{
	struct timespec ts = { .tv_sec = 1000000 };
	unsigned long mine = 0;
	struct epoll_event ev;
	int ep = -1, p[2] = { -1, -1 };
	char c;

	if (!counter)
		counter = &mine;
	if (kind == BENCH_EPOLL)
		ep = epoll_create1(0);
	if (kind == BENCH_PIPE && pipe(p))
		_exit(1);
	__atomic_fetch_add(crowd_ready, 1, __ATOMIC_SEQ_CST);
	for (;;) {
		switch (kind) {
		case BENCH_NANOSLEEP:
			nanosleep(&ts, NULL);
			break;
		case BENCH_EPOLL:
			epoll_wait(ep, &ev, 1, -1);
			break;
		case BENCH_PIPE:
			(void)!read(p[0], &c, 1);
			break;
		case BENCH_PAUSE:
			pause();
			break;
		default:	/* BENCH_SPIN */
			__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
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

void bench_wait_quiet(void)
{
	int running;

	frz_until((running = nr_running()) <= 1, BENCH_LIMIT_MS);
	if (running > 1)
		bench_fail("not all are asleep, runnable tasks", running);
}

/* Children are born into the cgroups, where the caller is for a moment. */
void bench_crowd_enter(struct bench_group *group)
{
	*crowd_ready = 0;
	if (group->v1[0])
		frz_move_process(group->v1, getpid());
	if (group->v2[0])
		frz_move_process(group->v2, getpid());
	fflush(NULL);
}

pid_t bench_crowd_add(struct bench_group *group, enum bench_kind kind,
		      unsigned long *counter)
{
	pid_t pid = fork();

	if (!pid) {
		struct sched_param param = { 0 };

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, group->size ? group->pids[0] : 0);
		sched_setscheduler(0, SCHED_OTHER, &param);
		sleeper(kind == BENCH_MIX ? group->size % BENCH_MIX : kind,
			counter);
	}
	if (pid < 0) {
		bench_fail("fork", -errno);
		return pid;
	}
	if (!group->size)
		setpgid(pid, pid);
	group->pids[group->size++] = pid;
	return pid;
}

/* @ready: how many have to come up before the crowd is complete. */
void bench_crowd_leave(struct bench_group *group, int ready)
{
	if (group->v1[0])
		frz_move_process(frz_root(), getpid());
	if (group->v2[0])
		frz_move_process(v2_root, getpid());
	if (!frz_until(__atomic_load_n(crowd_ready, __ATOMIC_SEQ_CST) >=
		       (uint32_t)ready, 10 * BENCH_LIMIT_MS))
		bench_fail("processes that came up", *crowd_ready);
}

/*
 * Of many spinners most have not run in user mode yet when this returns: they
 * are runnable at the same door as one that was interrupted there.
 */
void bench_crowd_start(struct bench_group *group, int n, enum bench_kind kind)
{
	group->size = 0;
	group->pids = calloc(n, sizeof(*group->pids));
	if (!group->pids) {
		bench_fail("calloc", -ENOMEM);
		return;
	}
	bench_crowd_enter(group);
	while (group->size < n && bench_crowd_add(group, kind, NULL) > 0)
		;
	bench_crowd_leave(group, kind == BENCH_SPIN ? 0 : n);
}

void bench_crowd_end(struct bench_group *group)
{
	int i;

	for (i = 0; i < group->size; i++)
		kill(group->pids[i], SIGKILL);
	for (i = 0; i < group->size; i++)
		if (frz_wait_exit(group->pids[i], BENCH_LIMIT_MS) < 0)
			bench_fail("a process does not die", group->pids[i]);
	group->size = 0;
	free(group->pids);
	group->pids = NULL;
}

static int open_in(const char *path, const char *file, int flags)
{
	char name[FRZ_PATH_MAX + 32];
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, flags | O_CLOEXEC);
	if (fd < 0)
		bench_fail(name, -errno);
	return fd;
}

int bench_group_create(struct bench_group *group, const char *name)
{
	char text[32];
	int err;

	memset(group, 0, sizeof(*group));
	group->v1_fd = -1;
	group->v2_fd = -1;
	group->v2_events = -1;
	if (bench_has(BENCH_V1)) {
		err = frz_create(group->v1, NULL, name);
		if (err) {
			bench_fail("mkdir in v1", err);
			return err;
		}
		group->v1_fd = open_in(group->v1, "freezer.state", O_RDWR);
		snprintf(text, sizeof(text), "%d", BENCH_LIMIT_MS);
		v1_waits = !frz_write(group->v1, "freezer.timeout_ms", text);
	}
	if (bench_has(BENCH_V2)) {
		err = frz_create(group->v2, v2_root, name);
		if (err) {
			bench_fail("mkdir in v2", err);
			return err;
		}
		group->v2_fd = open_in(group->v2, "cgroup.freeze", O_RDWR);
		group->v2_events = open_in(group->v2, "cgroup.events", O_RDONLY);
	}
	return 0;
}

void bench_group_destroy(struct bench_group *group)
{
	if (group->v1_fd >= 0)
		bench_thaw(group, BENCH_V1);
	if (group->v2_fd >= 0)
		bench_thaw(group, BENCH_V2);
	bench_crowd_end(group);
	if (group->v1_fd >= 0) {
		close(group->v1_fd);
		if (frz_destroy(group->v1, BENCH_LIMIT_MS))
			bench_fail("rmdir in v1", -EBUSY);
	}
	if (group->v2_fd >= 0) {
		close(group->v2_fd);
		close(group->v2_events);
		if (rmdir(group->v2))
			bench_fail("rmdir in v2", -errno);
	}
}

static bool v1_frozen(struct bench_group *group)
{
	char text[32];
	ssize_t len = pread(group->v1_fd, text, sizeof(text) - 1, 0);

	text[len > 0 ? len : 0] = 0;
	return !strncmp(text, "FROZEN", 6);
}

/*
 * Where a write of FROZEN waits it is all there is to do. Else the state is
 * read, with pauses that grow from 5 to 80 us.
 */
static void v1_freeze(struct bench_group *group)
{
	int64_t deadline = frz_now_ns() + BENCH_LIMIT_MS * 1000000LL;
	struct timespec ts = { .tv_nsec = 5000 };

	if (write(group->v1_fd, "FROZEN", 6) != 6)
		bench_fail("write of FROZEN", -errno);
	if (v1_waits)
		return;
	while (!v1_frozen(group)) {
		if (frz_now_ns() > deadline) {
			bench_fail("not FROZEN", 0);
			return;
		}
		nanosleep(&ts, NULL);
		if (ts.tv_nsec < 80000)
			ts.tv_nsec *= 2;
	}
}

static void v2_freeze(struct bench_group *group)
{
	struct pollfd pfd = { .fd = group->v2_events, .events = POLLPRI };
	int64_t deadline = frz_now_ns() + BENCH_LIMIT_MS * 1000000LL;
	char text[128];

	if (write(group->v2_fd, "1", 1) != 1)
		bench_fail("write of cgroup.freeze", -errno);
	for (;;) {
		ssize_t len = pread(group->v2_events, text, sizeof(text) - 1, 0);

		text[len > 0 ? len : 0] = 0;
		if (strstr(text, "frozen 1"))
			return;
		if (frz_now_ns() > deadline) {
			bench_fail("cgroup.events does not say frozen 1", 0);
			return;
		}
		poll(&pfd, 1, 1000);
	}
}

/* As a gang scheduler does: one signal for the job, and wait for each. */
static void stop_all(struct bench_group *group)
{
	siginfo_t info;
	int i;

	if (kill(-group->pids[0], SIGSTOP))
		bench_fail("kill", -errno);
	for (i = 0; i < group->size; i++)
		if (waitid(P_PID, group->pids[i], &info, WSTOPPED))
			bench_fail("waitid", -errno);
}

void bench_freeze(struct bench_group *group, enum bench_method how)
{
	switch (how) {
	case BENCH_V1:
		v1_freeze(group);
		break;
	case BENCH_V2:
		v2_freeze(group);
		break;
	default:
		stop_all(group);
		break;
	}
}

void bench_thaw(struct bench_group *group, enum bench_method how)
{
	switch (how) {
	case BENCH_V1:
		if (write(group->v1_fd, "THAWED", 6) != 6)
			bench_fail("write of THAWED", -errno);
		break;
	case BENCH_V2:
		if (write(group->v2_fd, "0", 1) != 1)
			bench_fail("write of cgroup.freeze", -errno);
		break;
	default:
		if (group->size && kill(-group->pids[0], SIGCONT))
			bench_fail("kill", -errno);
		break;
	}
}

/* v2 in a place of its own; without it the v2 figures are left out. */
static void setup(int n)
{
	char text[32];

	crowd_ready = frz_shared(sizeof(*crowd_ready));
	v1_here = !frz_setup();
	snprintf(v2_root, sizeof(v2_root), "/tmp/bench.XXXXXX");
	if (!mkdtemp(v2_root)) {
		v2_root[0] = 0;
	} else if (mount("bench", v2_root, "cgroup2", 0, NULL)) {
		rmdir(v2_root);
		v2_root[0] = 0;
	}
	/* 10000 processes want more than small machines allow. */
	snprintf(text, sizeof(text), "%d", 4 * n + 4096);
	if (n > 4096)
		frz_write("/proc/sys/kernel", "threads-max", text);
	prctl(PR_SET_TIMERSLACK, 1);
}

static void print_head(void)
{
	static struct bench_series s;
	char clock[64] = "?";
	struct utsname uts;
	int i;

	uname(&uts);
	frz_read("/sys/devices/system/clocksource/clocksource0",
		 "current_clocksource", clock, sizeof(clock));
	for (i = 0; i < 100; i++) {
		int64_t start = frz_now_ns();

		bench_add(&s, frz_now_ns() - start);
	}
	printf("# kernel %s: %s, %ld CPUs, clock %s (one reading: %.0f ns)\n",
	       kernel, uts.release, sysconf(_SC_NPROCESSORS_ONLN), clock,
	       bench_median(&s));
	printf("# v1 freezer: %s; v2: %s\n", v1_here ? "yes" : "no",
	       v2_root[0] ? "yes" : "no");
	printf("# csv,kernel,part,what,method,n,min,median,max,rounds,unit\n");
	printf("%-8s %-32s %-8s %6s %12s %12s %12s\n", "part", "what", "method",
	       "n", "min", "median", "max");
	fflush(stdout);
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
	fputs("usage: freezer_bench [-p parts] [-m methods] [-N processes] [-r rounds]\n"
	      "                     [-s seconds] [-c kinds] [-1] [-k name]\n"
	      "Measure what freezing costs.\n"
	      "\n"
	      "  -p LIST   of mem,crowd,read,hot,slice; all if not given; or latency\n"
	      "  -m LIST   of v1,v2,SIGSTOP: the ways to freeze in crowd and slice; all if not given\n"
	      "  -N N      size of the largest crowd, 10000 if not given\n"
	      "  -r N      rounds with the largest crowd, 5 if not given (smaller ones: more)\n"
	      "  -s N      seconds of time-slicing, 60 if not given\n"
	      "  -c LIST   of nanosleep,epoll_wait,pipe read,pause,mix,spin: what the crowds do;\n"
	      "            all if not given\n"
	      "  -1        only the largest crowd\n"
	      "  -k NAME   of the kernel, in the output\n"
	      "  -h        this text\n", out);
}

/* Is @word in the list @list, which may be NULL for everything? */
static bool listed(const char *list, const char *word)
{
	size_t len = strlen(word);

	while (list && *list) {
		if (!strncmp(list, word, len) &&
		    (!list[len] || list[len] == ','))
			return true;
		list = strchr(list, ',');
		if (!list)
			return false;
		list++;
	}
	return !list;
}

static const char *methods;
static const char *kinds;

bool bench_kind_wanted(enum bench_kind kind)
{
	return listed(kinds, bench_kind_name[kind]);
}

bool bench_wanted(enum bench_method how)
{
	return bench_has(how) && listed(methods, bench_method_name[how]);
}

int main(int argc, char **argv)
{
	int c, n = 10000, rounds = 5, seconds = 60;
	const char *parts = NULL;
	bool largest = false;
	enum bench_method how;

	/* What bench_hot.c executes */
	if (argc == 2 && !strcmp(argv[1], "--exit"))
		return 0;
	while ((c = getopt(argc, argv, "p:m:N:r:s:c:1k:h")) >= 0) {
		switch (c) {
		case 'p':
			parts = optarg;
			break;
		case 'm':
			methods = optarg;
			break;
		case 'N':
			n = parse_number(optarg, 1, 100000);
			break;
		case 'r':
			rounds = parse_number(optarg, 1, BENCH_ROUNDS_MAX / 20);
			break;
		case 's':
			seconds = parse_number(optarg, 1, 3600);
			break;
		case 'c':
			kinds = optarg;
			break;
		case '1':
			largest = true;
			break;
		case 'k':
			kernel = optarg;
			break;
		case 'h':
			help(stdout);
			return 0;
		default:
			help(stderr);
			return 2;
		}
	}
	setup(n);
	print_head();
	/* First, while nothing has ever been frozen */
	if (listed(parts, "hot"))
		bench_hot(n < 1000 ? n : 1000);
	if (listed(parts, "mem"))
		bench_memory(rounds);
	if (listed(parts, "crowd"))
		bench_crowds(largest ? n : 1, n, rounds);
	if (listed(parts, "read") && bench_has(BENCH_V1))
		bench_reading(n, 101);
	/* By name only, since it changes the scheduler's settings */
	if (parts && listed(parts, "latency") && bench_has(BENCH_V1))
		bench_latency(n, rounds);
	for (how = 0; how < BENCH_NR_METHODS; how++)
		if (listed(parts, "slice") && bench_wanted(how))
			bench_slices(how, n < 1000 ? n : 1000, 8, seconds);
	if (v2_root[0] && !umount2(v2_root, MNT_DETACH))
		rmdir(v2_root);
	printf("%s\n", bench_failed ? "# FAILED" : "# done");
	return bench_failed;
}
