// SPDX-License-Identifier: GPL-2.0
/*
 * Churn: freeze and thaw busy crowds, many times, and count what goes wrong.
 *
 * For each mode a crowd of tasks is started in a fresh cgroup of the v1
 * freezer; then, N times: the crowd runs a little, FROZEN is written (every
 * second time through O_NONBLOCK), and these are counted:
 *
 *   late     not FROZEN within a second (C8), in cgroup v2 within a second and
 *            its patience with blocked tasks (U15); without the time for which
 *            the machine's CPUs were stopped
 *   escapes  while FROZEN, the user mode code of a task inside has run, or the
 *            list of tasks has changed (C1)
 *   leaked   a system call of a worker ended otherwise than without a freeze:
 *            EINTR, a short or an early result, an io_uring completion with an
 *            error, a FUSE_INTERRUPT (C13)
 *   hung     tasks that do not go on after the thaw (C5)
 *   errors   a write was refused, a state was not as expected, a worker died,
 *            the cgroup could not be removed
 *
 * Any of them fails the mode. Output is KTAP, a line per mode. The first mode
 * is there to see whether escapes would be found: its workers make some.
 *
 * In the worlds "v2" and "both" the groups are in cgroup v2, alone or too.
 *
 * Clauses: C1, C5, C8, C13, U15.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "churn.h"
#include "freezer_lost.h"
#include "freezer_v2.h"
#include "regs.h"

/* The runner says that it lives once per freeze at least. */
#define SILENT_MS	30000

const struct churn_mode churn_modes[] = {
	{
		.name = "judge",
		.what = "escapes made on purpose, which must be reported",
		.flags = MODE_SERVER | MODE_JUDGE,
		.workers = 3,
		.kind = { { work_intruder, true }, { work_liar } },
	}, {
		.name = "sleep",
		.what = "seven kinds of timed sleep",
		.workers = 8,
		.kind = { { work_sleep } },
	}, {
		.name = "spin",
		.what = "user mode loops and short system calls",
		.workers = 4,
		.kind = { { work_spin } },
	}, {
		.name = "fork",
		.what = "children, grandchildren, orphans",
		.workers = 4,
		.kind = { { work_fork } },
	}, {
		.name = "vfork",
		.what = "parents wait for short-lived vfork children",
		.workers = 6,
		.kind = { { work_vfork } },
	}, {
		.name = "dstate",
		.what = "parents in D state behind slow vfork children",
		.workers = 8,
		.kind = { { work_dstate } },
	}, {
		.name = "forkexec",
		.what = "fork or vfork, and exec",
		.workers = 4,
		.kind = { { work_forkexec } },
	}, {
		.name = "texec",
		.what = "exec by a thread which is not the leader",
		.workers = 4,
		.kind = { { work_texec } },
	}, {
		.name = "threads",
		.what = "threads are created, end and are joined",
		.workers = 4,
		.kind = { { work_threads } },
	}, {
		.name = "exit_group",
		.what = "a thread ends its process",
		.workers = 4,
		.kind = { { work_exit_group } },
	}, {
		.name = "kill",
		.what = "processes with threads are killed from inside",
		.workers = 4,
		.kind = { { work_kill } },
	}, {
		.name = "coredump",
		.what = "a thread aborts, its process dumps core",
		.workers = 3,
		.setup = setup_coredump,
		.teardown = teardown_coredump,
		.kind = { { work_coredump } },
#ifdef FRZ_HAVE_STEP
	}, {
		.name = "ptrace_step",
		.what = "a tracer inside steps its tracee",
		.workers = 4,
		.kind = { { work_ptrace_step } },
#endif
	}, {
		.name = "ptrace_syscall",
		.what = "a tracer inside stops its tracee at system calls",
		.workers = 4,
		.kind = { { work_ptrace_syscall }, { work_ptrace_interrupt } },
	}, {
		.name = "ptrace_outside",
		.what = "tracers outside: stepping, system calls, interrupts",
		.workers = 6,
		.kind = {
#ifdef FRZ_HAVE_STEP
			  { work_ptrace_step, true },
#endif
			  { work_ptrace_syscall, true },
			  { work_ptrace_interrupt, true } },
	}, {
		.name = "jobctl",
		.what = "SIGSTOP and SIGCONT from inside",
		.workers = 4,
		.kind = { { work_jobctl } },
	}, {
		.name = "jobctl_outside",
		.what = "SIGSTOP and SIGCONT from outside",
		.workers = 4,
		.kind = { { work_jobctl, true } },
	}, {
		.name = "signals",
		.what = "tasks send signals to each other, handlers run",
		.workers = 4,
		.kind = { { work_signals } },
	}, {
		.name = "signals_outside",
		.what = "signals from outside for tasks that are frozen or not",
		.flags = MODE_SERVER,
		.workers = 5,
		.kind = { { work_signals_outside, true },
			  { work_signals }, { work_timers } },
	}, {
		.name = "pipes",
		.what = "ping-pong over pipes and sockets",
		.workers = 4,
		.kind = { { work_pipes }, { work_sockets } },
	}, {
		.name = "futex",
		.what = "ping-pong over futexes",
		.workers = 4,
		.kind = { { work_futex } },
	}, {
		.name = "faults",
		.what = "mmap, page faults, mprotect, munmap",
		.workers = 4,
		.kind = { { work_faults } },
	}, {
		.name = "nested",
		.what = "three levels with tasks in each, the top is frozen",
		.flags = MODE_LEVELS,
		.workers = 9,
		.kind = { { work_spin }, { work_sleep }, { work_fork } },
	}, {
		.name = "nested_mid",
		.what = "the same, the middle is frozen and the top goes on",
		.flags = MODE_LEVELS | MODE_MID,
		.workers = 9,
		.kind = { { work_spin }, { work_sleep }, { work_fork } },
	}, {
		.name = "migrate",
		.what = "tasks are moved in and out, also single threads",
		.flags = MODE_MOVES,
		.workers = 6,
		.kind = { { work_spin }, { work_sleep }, { work_fork_quiet },
			  { work_two_threads } },
	}, {
		.name = "migrate_within",
		.what = "tasks are moved between three levels, top is frozen",
		.flags = MODE_WITHIN,
		.workers = 9,
		.kind = { { work_spin }, { work_sleep }, { work_fork } },
	}, {
		.name = "children",
		.what = "tasks are moved into new children, which are removed",
		.flags = MODE_WITHIN | MODE_CHILDREN,
		.workers = 4,
		.kind = { { work_spin }, { work_fork }, { work_sleep },
			  { work_two_threads } },
	}, {
		.name = "fuse_outside",
		.what = "readers of a FUSE file system, server outside",
		.flags = MODE_SERVER,
		.workers = 5,
		.setup = setup_fuse,
		.teardown = teardown_fuse,
		.kind = { { work_fuse_server, true }, { work_fuse_client } },
	}, {
		.name = "fuse_inside",
		.what = "readers of a FUSE file system and its server",
		.flags = MODE_SERVER,
		.workers = 5,
		.setup = setup_fuse,
		.teardown = teardown_fuse,
		.kind = { { work_fuse_server }, { work_fuse_client } },
	}, {
		.name = "io_uring",
		.what = "reads by worker threads, SQPOLL, timeouts",
		.workers = 6,
		.setup = setup_uring,
		.kind = { { work_uring_async }, { work_uring_sqpoll },
			  { work_uring_timeout } },
	}, {
		.name = "uring_kill",
		.what = "processes with rings are killed from inside and outside",
		.flags = MODE_KILLS,
		.workers = 4,
		.setup = setup_uring,
		.kind = { { work_uring_kill } },
	}, {
		.name = "ptrace_kill",
		.what = "tracees are killed while they are looked at",
		.flags = MODE_SERVER | MODE_KILLS,
		.workers = 5,
		.setup = setup_fuse,
		.teardown = teardown_fuse,
		.kind = { { work_fuse_server, true }, { work_ptrace_kill } },
	}, {
		.name = "containers",
		.what = "containers come and go, somebody kills their pid 1",
		.flags = MODE_KILLS,
		.workers = 4,
		.kind = { { work_containers } },
	}, {
		.name = "per_namespace",
		.what = "the same, each in a cgroup that comes and goes with it",
		.flags = MODE_KILLS | MODE_PER_NAMESPACE,
		.workers = 4,
		.kind = { { work_containers } },
	}, {
		.name = "mix",
		.what = "many of the above side by side",
		.workers = 8,
		.kind = { { work_texec }, { work_vfork }, { work_signals },
			  { work_ptrace_syscall }, { work_jobctl },
			  { work_threads }, { work_pipes }, { work_fork } },
	},
};

const int churn_nr_modes = ARRAY_SIZE(churn_modes);

struct churn_shared *churn;
int churn_fd = -1;
static pid_t runner;
static int quit;

static void on_signal(int sig)
{
	(void)sig;
	__atomic_store_n(&quit, 1, __ATOMIC_SEQ_CST);
	__atomic_store_n(&churn->stop, 1, __ATOMIC_SEQ_CST);
	if (runner > 0)
		kill(runner, SIGTERM);
}

/* Wait for the runner as long as it shows that it lives. */
static int guard_wait(int *status)
{
	int64_t since = frz_now_ns();
	uint64_t beat = 0;

	for (;;) {
		pid_t pid = waitpid(runner, status, WNOHANG);

		if (pid == runner)
			return 0;
		if (pid < 0 && errno != EINTR)
			return -errno;
		if (churn->beat != beat) {
			beat = churn->beat;
			since = frz_now_ns();
		}
		if (frz_now_ns() - since > SILENT_MS * 1000000LL)
			return -ETIMEDOUT;
		churn_usleep(5000);
	}
}

/* The runner is lost: say where it is, and clean up in its place. */
static void guard_rescue(const struct churn_mode *mode)
{
	char text[4096] = "", path[64];
	int i, status;

	printf("# %s: the runner (pid %d) makes no progress\n", mode->name,
	       runner);
	snprintf(path, sizeof(path), "/proc/%d", runner);
	if (!frz_read(path, "stack", text, sizeof(text)))
		printf("# %s\n", text);
	churn_dump_tasks(CHURN_TOP, CHURN_TOP, false);
	churn->stop = 1;
	kill(runner, SIGKILL);
	for (i = CHURN_OTHER; i >= CHURN_TOP; i -= CHURN_OTHER)
		if (churn->path[i][0] && frz_destroy(churn->path[i], 10000))
			printf("# %s: %s stays\n", mode->name, churn->path[i]);
	for (i = 0; i < 1000; i++) {
		if (waitpid(runner, &status, WNOHANG) == runner)
			return;
		churn_usleep(10000);
	}
	printf("# %s: the runner does not die\n", mode->name);
}

/* 0: passed, 1: failed, 4: skipped */
static int run_mode(const struct churn_mode *mode, int nr,
		    const struct churn_options *opt)
{
	const struct churn_result *res = &churn->result;
	int status = 0, ret;
	bool bad;

	memset(churn, 0, sizeof(*churn));
	fflush(NULL);
	runner = fork();
	if (!runner)
		churn_run(mode, opt);
	if (runner < 0) {
		printf("not ok %d %s # fork: %s\n", nr, mode->name,
		       strerror(errno));
		return 1;
	}
	ret = guard_wait(&status);
	if (ret)
		guard_rescue(mode);
	runner = 0;
	if (res->skip[0]) {
		printf("ok %d %s # SKIP %s\n", nr, mode->name, res->skip);
		return 4;
	}
	if (status)
		printf("# %s: the runner ended with status 0x%x\n",
		       mode->name, status);
	printf("# %s: %d freezes, %d late, %d escapes, %d leaked, %d hung, ",
	       mode->name, res->freezes, res->late, res->escapes, res->leaks,
	       res->hung);
	printf("slowest %.1f ms, median %.1f ms", res->slowest_ns / 1e6,
	       res->median_ns / 1e6);
	if (res->stuck)
		printf(", %d not FROZEN within %d ms", res->stuck,
		       opt->limit_ms);
	if (res->errors)
		printf(", %d errors", res->errors);
	printf("\n");
	bad = ret || status || !res->complete;
	if (mode->flags & MODE_JUDGE)
		bad |= !res->grown || res->escapes <= res->grown + res->gone;
	else
		bad |= res->late || res->escapes || res->leaks || res->hung ||
		       res->errors;
	printf("%sok %d %s\n", bad ? "not " : "", nr, mode->name);
	fflush(stdout);
	return bad;
}

static void show_usage(FILE *out)
{
	fprintf(out,
		"usage: churn [-n freezes] [-m mode[,mode...]] [-x mode]... [-w workers]\n"
		"             [-t limit_ms] [-b | -o] [-c] [-v] [-l]\n"
		"Freeze and thaw busy cgroups of the freezer, and count what goes wrong.\n"
		"\n"
		"  -n, --freezes N    freezes of each mode, 50 if not given\n"
		"  -m, --mode LIST    these modes only, as -l names them\n"
		"  -x, --except MODE  not this mode\n"
		"  -w, --workers N    workers of a mode, up to %d; each mode has a default\n"
		"  -t, --limit MS     wait that long for FROZEN, then thaw; default 1500\n"
		"  -b, --blocking     blocking writes only\n"
		"  -o, --nonblock     O_NONBLOCK writes only; default: in turns\n"
		"  -c, --contained    each worker inside is in a container of its own, with\n"
		"                     a user namespace; so in FREEZER_WORLD=container\n"
		"  -v, --verbose      describe every fault, not only the first of each kind\n"
		"  -l, --list         list the modes\n"
		"  -h, --help         this text\n",
		CHURN_WORKERS_MAX);
}

static void list_modes(void)
{
	int i;

	for (i = 0; i < churn_nr_modes; i++)
		printf("%-16s %s\n", churn_modes[i].name, churn_modes[i].what);
}

/* Modes that -x names, e.g. those that cannot work in a world (world.c) */
static const char *except[16];
static size_t nr_except;

/* Whether the comma-separated @list (NULL: all) has @name. */
static bool listed(const char *list, const char *name)
{
	size_t len = strlen(name);

	if (!list)
		return true;
	while (*list) {
		size_t item = strcspn(list, ",");

		if (item == len && !strncmp(list, name, len))
			return true;
		list += item + (list[item] == ',');
	}
	return false;
}

static bool selected(const char *list, const char *name)
{
	size_t i;

	for (i = 0; i < nr_except; i++)
		if (!strcmp(except[i], name))
			return false;
	return listed(list, name);
}

static int parse_number(const char *text, int min, int max)
{
	char *end;
	long value = strtol(text, &end, 10);

	if (*end || end == text || value < min || value > max) {
		fprintf(stderr, "churn: %s: not a number from %d to %d\n",
			text, min, max);
		exit(2);
	}
	return value;
}

static const char *parse_options(int argc, char **argv,
				 struct churn_options *opt)
{
	static const struct option longs[] = {
		{ "freezes", required_argument, NULL, 'n' },
		{ "mode", required_argument, NULL, 'm' },
		{ "except", required_argument, NULL, 'x' },
		{ "workers", required_argument, NULL, 'w' },
		{ "limit", required_argument, NULL, 't' },
		{ "blocking", no_argument, NULL, 'b' },
		{ "nonblock", no_argument, NULL, 'o' },
		{ "contained", no_argument, NULL, 'c' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "list", no_argument, NULL, 'l' },
		{ "help", no_argument, NULL, 'h' },
		{ }
	};
	const char *modes = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "n:m:x:w:t:bocvlh", longs, NULL)) >= 0) {
		switch (c) {
		case 'n':
			opt->freezes = parse_number(optarg, 1, 1000000);
			break;
		case 'm':
			modes = optarg;
			break;
		case 'x':
			if (nr_except < ARRAY_SIZE(except))
				except[nr_except++] = optarg;
			break;
		case 'w':
			opt->workers = parse_number(optarg, 1,
						    CHURN_WORKERS_MAX);
			break;
		case 't':
			opt->limit_ms = parse_number(optarg, 1, 20000);
			break;
		case 'b':
			opt->how = CHURN_BLOCKING;
			break;
		case 'o':
			opt->how = CHURN_NONBLOCK;
			break;
		case 'c':
			opt->contained = true;
			break;
		case 'v':
			opt->verbose = 1;
			break;
		case 'l':
			list_modes();
			exit(0);
		case 'h':
			show_usage(stdout);
			exit(0);
		default:
			show_usage(stderr);
			exit(2);
		}
	}
	if (optind < argc) {
		show_usage(stderr);
		exit(2);
	}
	return modes;
}

int main(int argc, char **argv)
{
	struct churn_options opt = { .freezes = 50, .limit_ms = 1500 };
	int i, nr = 0, count[5] = { 0 };
	struct sigaction sa = { .sa_handler = on_signal };
	const char *modes, *world = getenv("FREEZER_WORLD");

	if (argc > 1 && !strcmp(argv[1], "--exec"))
		return churn_exec_main(argc, argv);
	opt.contained = world && (strstr(world, "container") ||
				  strstr(world, "userns"));
	/* It may take longer there, see LATE_MS. */
	if (frz_hierarchies() & FRZ_IN_V2)
		opt.limit_ms += FRZ2_PATIENCE_MS;
	modes = parse_options(argc, argv, &opt);

	printf("TAP version 13\n");
	i = frz_setup();
	if (i) {
		printf("1..0 # SKIP no v1 freezer: %s\n", strerror(-i));
		return 4;
	}
	/* Inherited by all that exec, so no MFD_CLOEXEC. */
	churn_fd = memfd_create("churn", 0);
	if (churn_fd < 0 || ftruncate(churn_fd, sizeof(*churn)))
		churn = MAP_FAILED;
	else
		churn = mmap(NULL, sizeof(*churn), PROT_READ | PROT_WRITE,
			     MAP_SHARED, churn_fd, 0);
	if (churn == MAP_FAILED) {
		printf("Bail out! shared memory: %s\n", strerror(errno));
		return 1;
	}
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);

	for (i = 0; i < churn_nr_modes; i++)
		nr += selected(modes, churn_modes[i].name);
	if (!nr) {
		fprintf(stderr, "churn: no such mode: %s\n", modes);
		return 2;
	}
	printf("1..%d\n", nr);
	/* A child of ours, for the runners wait for all of theirs */
	i = frz_lost_start();
	if (i)
		printf("# what the machine loses is not known: %s\n", strerror(-i));
	nr = 0;
	for (i = 0; i < churn_nr_modes; i++) {
		if (__atomic_load_n(&quit, __ATOMIC_SEQ_CST))
			break;
		if (!selected(modes, churn_modes[i].name))
			continue;
		count[run_mode(&churn_modes[i], ++nr, &opt)]++;
	}
	printf("# Totals: pass:%d fail:%d xfail:0 xpass:0 skip:%d error:0\n",
	       count[0], count[1], count[4]);
	return count[1] ? 1 : count[0] ? 0 : 4;
}
