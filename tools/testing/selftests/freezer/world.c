// SPDX-License-Identifier: GPL-2.0
/*
 * world: runs a test program in one of the worlds that users live in.
 *
 *	world NAMES PROGRAM [ARGUMENT...]	NAMES: one or more, + between
 *	world -l				the names, and the table below
 *	world -f NAMES PROGRAM			whether PROGRAM fits: status 0
 *	world -s NAMES				the factor for time limits
 *
 *	world					outside of all that follows
 *	 |- mover				outside, world_mover.c
 *	 `- entrance				world_container.c
 *	     `- init, pid 1 in there
 *	         `- PROGRAM
 *
 * Without a container PROGRAM is a child of world. What the world was made of
 * goes away with it; the exit status is that of PROGRAM, or 125 when the world
 * could not be made or does not end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "freezer_util.h"
#include "world.h"

#define ARGS_MAX	64

static const struct {
	const char *name;
	const char *what;
	unsigned int flags;
	/* The time limits of programs are this many times as long. */
	int stretch;
} worlds[] = {
	{ "plain", "the machine as it is", 0, 1 },
	{ "container",
	  "pid, mount, cgroup, ipc, uts and network namespaces of their own",
	  WORLD_CONTAINER, 1 },
	{ "userns", "the same in a user namespace", WORLD_CONTAINER | WORLD_USERNS,
	  1 },
	{ "mover", "somebody moves the tasks in two other hierarchies",
	  WORLD_MOVER, 2 },
	{ "limits", "limits of memory, CPU time and CPUs for the tasks",
	  WORLD_LIMITS, 2 },
	{ "killable", "freezer.killable is 1 where nobody says otherwise",
	  WORLD_KILLABLE, 1 },
};

/*
 * What cannot work in a world. A program without a test is left out as a whole;
 * the tests of churn are its modes.
 */
static const struct {
	unsigned int flags;
	const char *program;
	const char *test;
	const char *why;
} unfit[] = {
	{ WORLD_CONTAINER, "mount_test", NULL,
	  "it takes hierarchies without a cgroup to mount them anew" },
	{ WORLD_CONTAINER, "kill_test", "the_file",
	  "the root of its hierarchy is a cgroup, which has the file" },
	{ WORLD_CONTAINER, "checkpoint_test", "permissions",
	  "the root of its hierarchy is a cgroup, which has the file" },
	{ WORLD_CONTAINER, "checkpoint_test", "with_and_without_the_option",
	  "whoever is in the root of the hierarchy is in a cgroup" },
	{ WORLD_CONTAINER, "checkpoint_test", "kernel_begin_and_end",
	  "whoever is in the root of the hierarchy is in a cgroup" },
	{ WORLD_CONTAINER, "lifecycle_test", "kthreads_do_not_count",
	  "kernel threads are in the initial pid namespace" },
	{ WORLD_CONTAINER, "signal_test", "the_file",
	  "the root of its hierarchy is a cgroup, which has the file" },
	{ WORLD_CONTAINER, "signal_test", "kernel_threads",
	  "kernel threads are in the initial pid namespace" },
	{ WORLD_CONTAINER, "state_test", "new_cgroup",
	  "the root of its hierarchy is a cgroup, which has the file" },
	{ WORLD_USERNS, "checkpoint_test", "is_busy",
	  "it may not freeze the system" },
	{ WORLD_USERNS, "fork_test", "fork_asleep_in_kernel",
	  "userfaultfd has no faults of the kernel for it" },
	{ WORLD_USERNS, "lifecycle_test", "umount_while_frozen",
	  "it cannot unmount what was mounted outside" },
	{ WORLD_USERNS, "oom_test", NULL,
	  "it cannot keep a process from the OOM killer" },
	{ WORLD_MOVER, "lifecycle_test", "umount_while_frozen",
	  "the mover reads the hierarchy all the time" },
	{ }
};

static bool applies(size_t i, unsigned int flags, const char *program)
{
	const char *slash = strrchr(program, '/');

	return unfit[i].flags & flags &&
	       !strcmp(unfit[i].program, slash ? slash + 1 : program);
}

/* The flags of NAME+NAME...; exits when there is no such world. */
static unsigned int parse_names(const char *names, int *stretch)
{
	unsigned int flags = 0;
	const char *p = names;
	size_t i, len;

	*stretch = 1;
	do {
		len = strcspn(p, "+");
		for (i = 0; i < ARRAY_SIZE(worlds); i++)
			if (strlen(worlds[i].name) == len &&
			    !strncmp(worlds[i].name, p, len))
				break;
		if (i == ARRAY_SIZE(worlds)) {
			fprintf(stderr, "world: %s: no such world; world -l lists them\n",
				names);
			exit(WORLD_FAILED);
		}
		flags |= worlds[i].flags;
		if (worlds[i].stretch > *stretch)
			*stretch = worlds[i].stretch;
		p += len;
	} while (*p++);
	return flags;
}

static int list(void)
{
	size_t i, j;

	for (i = 0; i < ARRAY_SIZE(worlds); i++) {
		printf("%-10s %s\n", worlds[i].name, worlds[i].what);
		for (j = 0; unfit[j].program; j++)
			if (unfit[j].flags & worlds[i].flags &&
			    !(unfit[j].flags & WORLD_CONTAINER && worlds[i].flags & WORLD_USERNS))
				printf("           not %s%s%s: %s\n",
				       unfit[j].program,
				       unfit[j].test ? ", " : "",
				       unfit[j].test ? unfit[j].test : "",
				       unfit[j].why);
	}
	return 0;
}

static int fits(unsigned int flags, const char *program)
{
	size_t i;

	for (i = 0; unfit[i].program; i++) {
		if (!applies(i, flags, program) || unfit[i].test)
			continue;
		printf("%s\n", unfit[i].why);
		return 1;
	}
	return 0;
}

/* The program's arguments, with those that leave tests out. */
static void leave_out(char **args, int argc, char **argv, unsigned int flags)
{
	bool churn = strstr(argv[0], "churn");
	int nr = 0;
	size_t i;

	args[nr++] = *argv++;
	for (i = 0; unfit[i].program; i++) {
		if (!applies(i, flags, args[0]) || !unfit[i].test)
			continue;
		printf("# left out of this world: %s: %s\n", unfit[i].test,
		       unfit[i].why);
		if (nr + argc + 2 >= ARGS_MAX)
			break;
		args[nr++] = churn ? "-x" : "-T";
		args[nr++] = (char *)unfit[i].test;
	}
	while (*argv && nr < ARGS_MAX - 1)
		args[nr++] = *argv++;
	args[nr] = NULL;
	fflush(stdout);
}

pid_t world_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* 0: the parent is in another pid namespace */
	if (getppid() && getppid() != parent)
		_exit(WORLD_FAILED);
	return 0;
}

int world_status(int status)
{
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void world_exec(char **args)
{
	execv(args[0], args);
	fprintf(stderr, "world: %s: %s\n", args[0], strerror(errno));
	_exit(127);
}

static int run_plain(char **args)
{
	pid_t pid = world_fork();
	int status;

	if (!pid)
		world_exec(args);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return WORLD_FAILED;
	return world_status(status);
}

/* What is said when the world could not be made */
int world_error(const char *what, int err)
{
	if (err)
		fprintf(stderr, "world: %s: %s\n", what, strerror(-err));
	return err;
}

/* The guest was booted with it, or not: nobody can change it later. */
static int check_killable(bool want)
{
	char value[8];

	if (frz_read("/sys/module/cgroup_freezer/parameters", "killable",
		     value, sizeof(value)))
		return 0;	/* a kernel without */
	return want == (value[0] == 'Y') ? 0 :
	       world_error("cgroup_freezer.killable on the command line", -EINVAL);
}

int main(int argc, char **argv)
{
	char *args[ARGS_MAX];
	unsigned int flags;
	int status, stretch;

	if (argc == 2 && !strcmp(argv[1], "-l"))
		return list();
	if (argc == 4 && !strcmp(argv[1], "-f"))
		return fits(parse_names(argv[2], &stretch), argv[3]);
	if (argc == 3 && !strcmp(argv[1], "-s")) {
		parse_names(argv[2], &stretch);
		printf("%d\n", stretch);
		return 0;
	}
	if (argc < 3 || argv[1][0] == '-') {
		fprintf(stderr,
			"usage: world NAME[+NAME...] PROGRAM [ARGUMENT...]\n"
			"       world -l | -f NAMES PROGRAM | -s NAMES\n");
		return WORLD_FAILED;
	}
	flags = parse_names(argv[1], &stretch);
	leave_out(args, argc, argv + 2, flags);
	setenv("FREEZER_WORLD", argv[1], 1);
	/* without the freezer the program says so itself */
	if (frz_setup())
		return run_plain(args);
	if ((flags & WORLD_KILLABLE && check_killable(true)) ||
	    (flags & (WORLD_MOVER | WORLD_LIMITS) && world_groups_begin(flags)))
		return WORLD_FAILED;
	status = flags & WORLD_CONTAINER ? world_contain(flags, args) :
					   run_plain(args);
	if (flags & (WORLD_MOVER | WORLD_LIMITS) && world_groups_end(flags) &&
	    !status)
		status = WORLD_FAILED;
	return status;
}
