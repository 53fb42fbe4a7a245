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
 *	 |- mover				outside, world_groups.c
 *	 `- entrance				world_container.c
 *	     `- init, pid 1 in there
 *	         `- PROGRAM
 *
 * Without a container PROGRAM is a child of world. All that belongs to the
 * world goes away with it; the exit status is that of PROGRAM, or 125 when the
 * world could not be made or does not end.
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

#define ARGS_MAX	96

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
	{ "v2", "the groups are in cgroup v2, and frozen by cgroup.freeze",
	  WORLD_V2, 1 },
	{ "both", "each group is in cgroup v2 as well, and frozen by both",
	  WORLD_BOTH, 1 },
};

/*
 * What cannot work in a world. A program without a test is left out as a whole;
 * the tests of churn are its modes, those of syscall_test its phases.
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
	{ WORLD_USERNS, "fork_test", "first_fork_asleep_in_kernel",
	  "userfaultfd has no faults of the kernel for it" },
	{ WORLD_USERNS, "fork_test", "child_that_is_not_started",
	  "userfaultfd has no faults of the kernel for it" },
	{ WORLD_USERNS, "lifecycle_test", "umount_while_frozen",
	  "it cannot unmount what was mounted outside" },
	{ WORLD_USERNS, "ptrace_test", "jobctl_stop_before_freeze",
	  "it may not be a realtime task" },
	{ WORLD_USERNS, "ptrace_test", "jobctl_stop_behind_another",
	  "it may not be a realtime task" },
	{ WORLD_USERNS, "namespace_umount_test", NULL,
	  "it cannot unmount what was mounted outside" },
	{ WORLD_USERNS, "snapshot_memory_test", "swapped_out",
	  "it may not turn on swap" },
	{ WORLD_USERNS, "snapshot_memory_test", "huge_pages",
	  "it may not change how many huge pages there are" },
	{ WORLD_USERNS, "oom_test", NULL,
	  "it cannot keep a process from the OOM killer" },
	{ WORLD_MOVER, "lifecycle_test", "umount_while_frozen",
	  "the mover reads the hierarchy all the time" },
	{ WORLD_MOVER, "namespace_umount_test", NULL,
	  "the mover reads the hierarchy all the time" },
	/*
	 * v2: what has no counterpart there, and what cgroup.freeze does otherwise,
	 * which v2_test and v2_task_test are about.
	 */
	{ WORLD_V2, "access_test", NULL, "it is about the files of v1" },
	{ WORLD_V2, "checkpoint_test", NULL, "v2 has no checkpoint guard" },
	{ WORLD_V2, "checkpoint_picture_test", NULL,
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "checkpoint_storm_test", NULL,
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "checkpoint_stuck_test", NULL,
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "checkpoint_torn_test", NULL,
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "checkpoint_trace_test", NULL,
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "container_test", "kill_waits_for_the_thaw",
	  "a kill does not wait" },
	{ WORLD_V2, "container_test", "children_in_another_group",
	  "there is no group whose kills wait" },
	{ WORLD_V2, "container_test", "freeze_meets_exit",
	  "the children that are killed do not wait" },
	{ WORLD_V2, "container_test", "pid_1",
	  "it needs its processes in another cgroup of v2" },
	{ WORLD_V2, "container_test", "killed_in_a_dump",
	  "one of its two needs the processes in another cgroup of v2" },
	{ WORLD_V2, "coredump_test", "pipe_under_the_guard",
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "coredump_test", "waits_for_the_program",
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "coredump_test", "file", "v2 has no checkpoint guard" },
	{ WORLD_V2, "dataflow_test", "stops_at_the_next_sleep",
	  "it reads freezer.stat" },
	{ WORLD_V2, "dataflow_test", "a_call_in_hand_ends",
	  "it reads freezer.stat" },
	{ WORLD_V2, "events_test", NULL,
	  "the events of freezer.state are others than those of cgroup.events" },
	{ WORLD_V2, "fork_test", "no_fork_while_freezing",
	  "nothing tells how many are busy" },
	{ WORLD_V2, "gdb_test", "snapshot_opens", "v2 has no checkpoint guard" },
	{ WORLD_V2, "holders_test", NULL,
	  "it has groups of its own in both hierarchies" },
	{ WORLD_V2, "kill_test", "the_file", "there is no freezer.killable" },
	{ WORLD_V2, "kill_test", "default_of_the_host",
	  "there is no freezer.killable" },
	{ WORLD_V2, "kill_test", "killed_in_sendfile",
	  "nothing tells who is parked" },
	{ WORLD_V2, "kill_test", "turned_on_later", "a kill does not wait" },
	{ WORLD_V2, "kill_test", "turned_on_while_parking",
	  "a kill does not wait" },
	{ WORLD_V2, "kill_test", "moved_to_killable", "a kill does not wait" },
	{ WORLD_V2, "lifecycle_test", "rmdir_under_writer",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "lifecycle_test", "umount_while_frozen",
	  "the hierarchy is in use by others" },
	{ WORLD_V2, "lifecycle_test", "kill_waits_for_thaw",
	  "a kill does not wait" },
	{ WORLD_V2, "list_test", "stands_still",
	  "some of its groups need their tasks in another cgroup of v2" },
	{ WORLD_V2, "mount_test", NULL, "it is about the hierarchies of v1" },
	{ WORLD_V2, "mover_test", NULL,
	  "it moves its tasks to other cgroups of v2, and reads freezer.stat" },
	{ WORLD_V2, "churn", "per_namespace", "it is about a file of v1" },
	{ WORLD_V2, "namespace_member_test", NULL, "it is about a file of v1" },
	{ WORLD_V2, "namespace_test", NULL, "it is about a file of v1" },
	{ WORLD_V2, "namespace_rule_test", NULL, "it is about a file of v1" },
	{ WORLD_V2, "namespace_umount_test", NULL, "it is about a file of v1" },
	{ WORLD_V2, "oom_test", NULL,
	  "it needs its processes in another cgroup of v2" },
	{ WORLD_V2, "parking_test", "thaw_meets_own_timer",
	  "it reads freezer.stat" },
	{ WORLD_V2, "suspend_race_test", "freezing_goes_on",
	  "there is no freezer.blockers" },
	{ WORLD_V2, "suspend_race_test", "writer_outside",
	  "it reads freezer.stat" },
	{ WORLD_V2, "suspend_race_test", "writer_inside",
	  "it reads freezer.stat" },
	{ WORLD_V2, "suspend_race_test", "sleeper_is_parked",
	  "it reads freezer.stat" },
	{ WORLD_V2, "signal_test", NULL, "there is no signal.kill in v2" },
	{ WORLD_V2, "signal_storm_test", NULL, "there is no signal.kill in v2" },
	{ WORLD_V2, "snapshot_test", NULL, "v2 has no checkpoint guard" },
	{ WORLD_V2, "snapshot_look_test", NULL, "v2 has no checkpoint guard" },
	{ WORLD_V2, "snapshot_tool_test", NULL, "v2 has no checkpoint guard" },
	{ WORLD_V2, "stat_test", NULL,
	  "there are no freezer.stat and freezer.blockers" },
	{ WORLD_V2, "state_test", "new_cgroup", "it is about the files of v1" },
	{ WORLD_V2, "state_test", "invalid_words", "it is about the words of v1" },
	{ WORLD_V2, "state_test", "time_limit",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "time_limit_zero",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "time_limit_values",
	  "there is no freezer.timeout_ms" },
	{ WORLD_V2, "state_test", "cancelled_by_thaw",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "writer_gets_signal",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "writer_killed",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "cancelled_behind_a_tracer",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "time_limit_behind_a_tracer",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "many_writers",
	  "no writer waits in the kernel" },
	{ WORLD_V2, "state_test", "removed_cgroup", "it opens freezer.state" },
	{ WORLD_V2, "state_test", "thaw_as_the_last_one_parks",
	  "it reads freezer.stat" },
	{ WORLD_V2, "suspend_test", "lock_is_given_back",
	  "v2 has no checkpoint guard" },
	{ WORLD_V2, "syscall_test", "guarded", "v2 has no checkpoint guard" },
	{ WORLD_V2, "worker_kill_test", "oom",
	  "it needs its processes in another cgroup of v2" },
	/* both: what looks at one of the two, or puts its tasks elsewhere in v2 */
	{ WORLD_BOTH, "access_test", NULL, "it is about the files of v1" },
	{ WORLD_BOTH, "checkpoint_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "checkpoint_picture_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "checkpoint_storm_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "checkpoint_stuck_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "checkpoint_torn_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "checkpoint_trace_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "coredump_test", "pipe_under_the_guard",
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "coredump_test", "waits_for_the_program",
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "coredump_test", "file",
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "suspend_test", "lock_is_given_back",
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "gdb_test", "snapshot_opens",
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "container_test", "pid_1",
	  "it needs its processes in another cgroup of v2" },
	{ WORLD_BOTH, "container_test", "killed_in_a_dump",
	  "one of its two needs the processes in another cgroup of v2" },
	{ WORLD_BOTH, "events_test", NULL,
	  "v1 tells of FROZEN before v2 is asked" },
	{ WORLD_BOTH, "holders_test", NULL,
	  "it has groups of its own in both hierarchies" },
	{ WORLD_BOTH, "lifecycle_test", "umount_while_frozen",
	  "the hierarchy of v2 is in use by others" },
	{ WORLD_BOTH, "lifecycle_test", "rmdir_under_writer",
	  "its twin in v2 is not removed with it" },
	{ WORLD_BOTH, "list_test", "stands_still",
	  "some of its groups need their tasks in another cgroup of v2" },
	{ WORLD_BOTH, "mount_test", NULL, "it is about the hierarchies of v1" },
	{ WORLD_BOTH, "mover_test", NULL,
	  "it moves its tasks to other cgroups of v2" },
	{ WORLD_BOTH, "churn", "per_namespace", "it is about a file of v1" },
	{ WORLD_BOTH, "namespace_member_test", NULL, "it is about a file of v1" },
	{ WORLD_BOTH, "namespace_test", NULL, "it is about a file of v1" },
	{ WORLD_BOTH, "namespace_rule_test", NULL, "it is about a file of v1" },
	{ WORLD_BOTH, "namespace_umount_test", NULL, "it is about a file of v1" },
	{ WORLD_BOTH, "oom_test", NULL,
	  "it needs its processes in another cgroup of v2" },
	{ WORLD_BOTH, "signal_test", NULL, "it is about the subsystem of v1" },
	{ WORLD_BOTH, "signal_storm_test", NULL,
	  "it is about the subsystem of v1" },
	{ WORLD_BOTH, "snapshot_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "snapshot_look_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "snapshot_tool_test", NULL,
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "state_test", "self_freeze",
	  "a writer inside is frozen before it asks the second" },
	{ WORLD_BOTH, "state_test", "invalid_words",
	  "only the words themselves are for both" },
	{ WORLD_BOTH, "state_test", "time_limit",
	  "a write that v1 gives up does not get as far as v2" },
	{ WORLD_BOTH, "state_test", "writer_gets_signal",
	  "a write that v1 gives up does not get as far as v2" },
	{ WORLD_BOTH, "state_test", "thaw_as_the_last_one_parks",
	  "its thaw may come between the two writes of a freeze" },
	{ WORLD_BOTH, "state_test", "nonblock",
	  "it looks for FREEZING after a write that v1 has no wait for" },
	{ WORLD_BOTH, "stat_test", NULL, "it is about the files of v1" },
	{ WORLD_BOTH, "suspend_race_test", "writer_inside",
	  "a writer inside is frozen before it asks the second" },
	{ WORLD_BOTH, "syscall_test", "guarded",
	  "CHECKPOINTING is a state of v1 alone" },
	{ WORLD_BOTH, "v2_test", NULL, "it has groups of its own in cgroup v2" },
	{ WORLD_BOTH, "v2_task_test", NULL,
	  "it has groups of its own in cgroup v2" },
	{ WORLD_BOTH, "worker_kill_test", "oom",
	  "it needs its processes in another cgroup of v2" },
	/* v2_test, v2_task_test and holders_test have the machine's hierarchies. */
	{ WORLD_CONTAINER, "v2_test", NULL,
	  "it looks for kernel threads, and at the root of the hierarchy" },
	{ WORLD_CONTAINER, "v2_task_test", NULL,
	  "it looks for kernel threads, and at the root of the hierarchy" },
	{ WORLD_CONTAINER, "holders_test", NULL,
	  "it needs both hierarchies from their roots on" },
	{ WORLD_MOVER, "v2_test", NULL, "the mover moves its tasks in v2, too" },
	{ WORLD_MOVER, "v2_task_test", NULL,
	  "the mover moves its tasks in v2, too" },
	{ WORLD_MOVER, "holders_test", NULL,
	  "the mover moves its tasks in v2, too" },
	{ WORLD_LIMITS, "holders_test", NULL,
	  "the limits are in another cgroup of v2" },
	{ WORLD_LIMITS, "v2_test", NULL,
	  "the limits are in another cgroup of v2" },
	{ WORLD_LIMITS, "v2_task_test", NULL,
	  "the limits are in another cgroup of v2" },
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

/* The groups of the limits are cgroups of v2 as well, and a task is in one. */
static int check_together(unsigned int flags)
{
	unsigned int v2 = flags & (WORLD_V2 | WORLD_BOTH);

	return (v2 && flags & WORLD_LIMITS) || v2 == (WORLD_V2 | WORLD_BOTH) ?
	       world_error("these worlds cannot be one", -EINVAL) : 0;
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
	if (check_together(flags) ||
	    (flags & WORLD_KILLABLE && check_killable(true)) ||
	    (flags & (WORLD_MOVER | WORLD_LIMITS) && world_groups_begin(flags)))
		return WORLD_FAILED;
	status = flags & WORLD_CONTAINER ? world_contain(flags, args) :
					   run_plain(args);
	if (flags & (WORLD_MOVER | WORLD_LIMITS) && world_groups_end(flags) &&
	    !status)
		status = WORLD_FAILED;
	return status;
}
