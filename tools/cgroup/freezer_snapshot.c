// SPDX-License-Identifier: GPL-2.0-only
/*
 * freezer_snapshot: write a consistent snapshot of a cgroup of tasks
 *
 * A user of freezer.checkpoint, see Documentation/cgroups/freezer-subsystem.txt.
 * What it is for and how it is used is in help[] below.
 *
 * Two processes do the work.  The worker freezes, takes the guard, reads and
 * writes, and ends at the first error.  Whatever it waits for, the alarm kills
 * it, see doing(), or on_signal().  The guard is the worker's alone, so it is
 * given back however that ends.  Then the supervisor thaws what was frozen, and
 * gives the snapshot its name or removes what there is of it.
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <getopt.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "freezer_snapshot.h"

struct options opt = {
	.regs = REGS_AUTO,
	.stall_s = 30,
	.regs_ms = 1000,
	.guard = true,
};

struct shared *shared;

static volatile sig_atomic_t ended_by;
static volatile sig_atomic_t worker;

static const char help[] =
"NAME\n"
"    freezer_snapshot - write a consistent snapshot of a cgroup of tasks\n"
"\n"
"SYNOPSIS\n"
"    freezer_snapshot [OPTION...] CGROUP NAME\n"
"    freezer_snapshot [OPTION...] --pids PID[,PID...] NAME\n"
"\n"
"DESCRIPTION\n"
"    Writes all that can be read of the tasks of CGROUP, a directory of a cgroup\n"
"    v1 hierarchy with the freezer, and of the cgroups below, into the new\n"
"    directory NAME. CGROUP has to be FROZEN (or see --freeze). While it reads,\n"
"    it holds freezer.checkpoint open: nobody can thaw the group, or move tasks\n"
"    into it or out of it, and everything in the snapshot is of one moment.\n"
"\n"
"    Until it is complete the directory is called NAME.partial. It gets its name\n"
"    only when it is on disk and the kernel has said that the group was held all\n"
"    the time. The guard is given back before it is written to disk.\n"
"\n"
"    The file notes lists the parts that are missing, with the reason; the\n"
"    rest is as it was.\n"
"\n"
"OPTIONS\n"
"    -f, --freeze      freeze CGROUP first, and thaw it afterwards if it was not\n"
"                      frozen before\n"
"    -F, --files       copy the content of the regular files that are open for\n"
"                      writing, or open and deleted\n"
"    -s, --smaps       keep smaps of each process\n"
"    -a, --all         all memory: also of files that are mapped and were not\n"
"                      written to, and what madvise(MADV_DONTDUMP) is set for\n"
"    -r, --registers=HOW\n"
"                      auto     by ptrace; where that does not work what\n"
"                               /proc/PID/syscall tells (this is the default)\n"
"                      ptrace   by ptrace, or none\n"
"                      syscall  what /proc/PID/syscall tells\n"
"                      none     no registers\n"
"                      A thread that is frozen in a system call does not stop for\n"
"                      a tracer under the guard. Trying it may end its sleep\n"
"                      afterwards, as attaching a debugger does. A kernel without\n"
"                      the guard may stop no frozen thread: one is tried there.\n"
"    --registers-wait=MS\n"
"                      how long to wait for a thread to stop (1000)\n"
"    --stall=SECONDS   give up after so long without progress (30; 0: never).\n"
"                      Memory may be waited for that comes from a file server\n"
"                      inside of the group\n"
"    -k, --keep        leave NAME.partial behind if it cannot be completed\n"
"    --no-guard        do not hold freezer.checkpoint, for kernels that have none.\n"
"                      CGROUP has to be FROZEN, and a thaw meanwhile is found out\n"
"                      afterwards. Changes by a task moved in are not\n"
"    --pids PID[,...]  these processes instead of a cgroup, whatever they do: for\n"
"                      processes that were stopped in another way\n"
"    -q, --quiet       no progress on the standard error, only errors\n"
"    -h, --help        this text\n"
"\n"
"THE SNAPSHOT\n"
"    snapshot          what it is: a key and a value on each line\n"
"    notes             what is missing, and why; empty if nothing is\n"
"    tasks             a line for each task: process, thread, registers (full,\n"
"                      partial or none), name of the process\n"
"    cgroup/           the files of CGROUP, and of each cgroup below\n"
"    pipes/INODE       what is in a pipe whose reading end is in the group\n"
"    files/MAJOR:MINOR:INODE\n"
"                      content of a file (--files), numbers as in maps\n"
"    PID/core          an ELF core file, for gdb and others: registers of all\n"
"                      threads (NT_PRSTATUS, NT_FPREGSET, ...), NT_PRPSINFO,\n"
"                      NT_AUXV, NT_FILE, and memory. Zeroes are holes in the file\n"
"    PID/fd/, PID/fdinfo/\n"
"                      open files, as in proc(5); offsets and flags in fdinfo\n"
"    PID/links         exe, cwd, root, and namespaces\n"
"    PID/...           maps, status and other files of /proc/PID, as they are\n"
"    PID/task/TID/...  the same of each thread, syscall in particular\n"
"\n"
"    Not in it: what is in sockets; files that are open for reading only; memory\n"
"    of devices ([vvar] is one); of a file that is mapped and was not written to\n"
"    only the first page, if it begins an ELF file (see --all).\n"
"\n"
"EXIT STATUS\n"
"    0   done, NAME is complete\n"
"    1   an error: cannot read, cannot write, no such cgroup, NAME exists\n"
"    2   wrong usage\n"
"    3   CGROUP is not FROZEN, cannot be frozen, or has only some of the threads\n"
"        of a process\n"
"    4   the guard cannot be had: somebody else has it, or the group does not\n"
"        come to rest. freezer.blockers is quoted\n"
"    5   torn: a task had to leave, or lost its memory (process_mrelease), or\n"
"        (--no-guard) the group was thawed\n"
"    6   no progress, see --stall\n"
"    7   the kernel has no freezer.checkpoint, see --no-guard\n"
"    128 + n  ended by signal n\n"
"\n"
"    In any case but 0 there is no NAME, and without --keep no NAME.partial.\n"
"    A group that --freeze has frozen is thawed, unless the program itself\n"
"    gets a SIGKILL.\n"
"\n"
"EXAMPLES\n"
"    freezer_snapshot --freeze /run/freezer/job /var/tmp/job.1\n"
"    gdb /usr/bin/job /var/tmp/job.1/4242/core\n"
"\n"
"    echo FROZEN > /run/freezer/job/freezer.state &&\n"
"    freezer_snapshot --files /run/freezer/job /var/tmp/job.2 &&\n"
"    cat /var/tmp/job.2/notes\n"
"\n"
"SEE ALSO\n"
"    Documentation/cgroups/freezer-subsystem.txt, core(5), proc(5)\n";

static void wrong_usage(const char *what, const char *which)
{
	die(EXIT_USAGE, "%s%s (see --help)", what, which);
}

static unsigned int parse_number(const char *text)
{
	unsigned long num;
	char *end;

	errno = 0;
	num = strtoul(text, &end, 10);
	if (errno || end == text || *end || num > 1000000)
		wrong_usage("not a number: ", text);
	return num;
}

static pid_t *parse_pids(char *text)
{
	char *word, *save = NULL;
	pid_t *pids = NULL;
	size_t num = 0;

	for (word = strtok_r(text, ",", &save); word;
	     word = strtok_r(NULL, ",", &save)) {
		pids = xalloc(pids, num + 2, sizeof(*pids));
		pids[num++] = parse_number(word);
	}
	if (!num)
		wrong_usage("no process", "");
	pids[num] = 0;
	return pids;
}

static enum regs_mode parse_regs(const char *text)
{
	static const char * const names[] = {
		[REGS_AUTO]	= "auto",
		[REGS_PTRACE]	= "ptrace",
		[REGS_SYSCALL]	= "syscall",
		[REGS_NONE]	= "none",
	};
	unsigned int i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(text, names[i]))
			return i;
	wrong_usage("registers from where? ", text);
	return REGS_AUTO;
}

enum { OPT_WAIT = 256, OPT_STALL, OPT_NO_GUARD, OPT_PIDS };

static const struct option long_options[] = {
	{ "freeze",		no_argument,		NULL, 'f' },
	{ "files",		no_argument,		NULL, 'F' },
	{ "smaps",		no_argument,		NULL, 's' },
	{ "all",		no_argument,		NULL, 'a' },
	{ "registers",		required_argument,	NULL, 'r' },
	{ "registers-wait",	required_argument,	NULL, OPT_WAIT },
	{ "stall",		required_argument,	NULL, OPT_STALL },
	{ "keep",		no_argument,		NULL, 'k' },
	{ "no-guard",		no_argument,		NULL, OPT_NO_GUARD },
	{ "pids",		required_argument,	NULL, OPT_PIDS },
	{ "quiet",		no_argument,		NULL, 'q' },
	{ "help",		no_argument,		NULL, 'h' },
	{ }
};

static void parse_options(int argc, char **argv)
{
	int c;

	while ((c = getopt_long(argc, argv, "fFsar:kqh", long_options,
				NULL)) != -1) {
		switch (c) {
		case 'f':
			opt.freeze = true;
			break;
		case 'F':
			opt.files = true;
			break;
		case 's':
			opt.smaps = true;
			break;
		case 'a':
			opt.all = true;
			break;
		case 'r':
			opt.regs = parse_regs(optarg);
			break;
		case OPT_WAIT:
			opt.regs_ms = parse_number(optarg);
			break;
		case OPT_STALL:
			opt.stall_s = parse_number(optarg);
			break;
		case 'k':
			opt.keep = true;
			break;
		case OPT_NO_GUARD:
			opt.guard = false;
			break;
		case OPT_PIDS:
			opt.pids = parse_pids(optarg);
			break;
		case 'q':
			opt.quiet = true;
			break;
		case 'h':
			fputs(help, stdout);
			exit(fflush(stdout) ? EXIT_ERROR : EXIT_DONE);
		default:
			exit(EXIT_USAGE);
		}
	}

	if (argc - optind != (opt.pids ? 1 : 2))
		wrong_usage("CGROUP and NAME are needed, or --pids and NAME",
			    "");
	if (opt.pids && opt.freeze)
		wrong_usage("--freeze is for a cgroup", "");
	if (!opt.pids)
		opt.cgroup = argv[optind++];
	opt.name = argv[optind];
	if (asprintf(&opt.partial, "%s.partial", opt.name) < 0)
		die(EXIT_ERROR, "out of memory");
}

/*
 * The worker
 */

static void make_partial(void)
{
	struct stat st;
	int fd;

	if (!lstat(opt.name, &st))
		die(EXIT_ERROR, "%s exists", opt.name);
	shared->making = true;
	if (mkdir(opt.partial, 0700)) {
		shared->making = false;
		if (errno == EEXIST)
			die(EXIT_ERROR,
			    "%s exists: remove it if nobody works on it",
			    opt.partial);
		die(EXIT_ERROR, "cannot make %s: %m", opt.partial);
	}
	shared->made = true;
	out_dir = open(opt.partial, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (out_dir < 0)
		die(EXIT_ERROR, "cannot open %s: %m", opt.partial);

	fd = out_create(out_dir, "notes");
	notes = fdopen(fd, "w");
	if (!notes)
		die(EXIT_ERROR, "cannot write notes: %m");
}

static void write_task_list(struct process *proc, FILE *tasks)
{
	unsigned int i;

	for (i = 0; i < proc->nr_threads; i++) {
		struct thread *thread = &proc->threads[i];

		fprintf(tasks, "%d %d %s %s\n", proc->pid, thread->tid,
			!thread->nr_sets ? "none" :
			thread->partial ? "partial" : "full", proc->comm);
	}
}

/*
 * The registers of all come before anything else is read.  A tracer ends the
 * sleep of a thread, which then goes through the kernel to the place where it
 * stops, and may do on its way what it was waiting for: take a message from a
 * pipe, say.  After that nothing moves any more.
 */
static void read_registers(struct group *group)
{
	unsigned int i;

	for (i = 0; i < group->nr_procs; i++) {
		struct process *proc = &group->procs[i];

		doing("reading the registers of %d", proc->pid);
		if (proc->rep < proc->nr_threads)
			regs_read(proc);
	}
}

static void write_processes(struct group *group)
{
	FILE *tasks = fdopen(out_create(out_dir, "tasks"), "w");
	unsigned int i;

	if (!tasks)
		die(EXIT_ERROR, "cannot write tasks: %m");

	for (i = 0; i < group->nr_procs; i++) {
		struct process *proc = &group->procs[i];
		uint64_t before = shared->bytes;
		char name[16];
		int dir;

		snprintf(name, sizeof(name), "%d", proc->pid);
		dir = out_mkdir(out_dir, name);
		proc_write(proc, dir);
		if (proc->rep < proc->nr_threads)
			core_write(proc, dir);
		close(dir);
		write_task_list(proc, tasks);
		if (!opt.quiet)
			fprintf(stderr,
				"[%u/%u] %d %s: %u threads, %llu kB\n", i + 1,
				group->nr_procs, proc->pid, proc->comm,
				proc->nr_threads,
				(unsigned long long)(shared->bytes - before) /
				1024);
		regs_free(proc);
	}

	if (ferror(tasks) | fclose(tasks))
		die(EXIT_ERROR, "cannot write tasks: %m");
}

static void write_summary(struct group *group, const char *verdict,
			  const struct timespec *begin,
			  const struct timespec *end)
{
	int fd = out_create(out_dir, "snapshot");
	struct utsname uts;

	uname(&uts);
	dprintf(fd, "format 1\n");
	dprintf(fd, "verdict %s\n", verdict);
	if (opt.cgroup)
		dprintf(fd, "cgroup %s\ngeneration %llu\n", opt.cgroup,
			(unsigned long long)group_generation());
	dprintf(fd, "cgroups %u\nprocesses %u\nthreads %u\n",
		group->nr_cgroups, group->nr_procs, group->nr_threads);
	dprintf(fd, "registers %s\n", regs_how());
	dprintf(fd, "notes %u\n", nr_notes);
	dprintf(fd, "bytes %llu\n", (unsigned long long)shared->bytes);
	dprintf(fd, "begin %lld.%06ld\nend %lld.%06ld\n",
		(long long)begin->tv_sec, begin->tv_nsec / 1000,
		(long long)end->tv_sec, end->tv_nsec / 1000);
	dprintf(fd, "kernel %s %s %s\n", uts.sysname, uts.release,
		uts.machine);
	if (dprintf(fd, "host %s\n", uts.nodename) < 0)
		die(EXIT_ERROR, "cannot write snapshot: %m");
	out_close(fd, "snapshot");
}

static void work(void)
{
	struct timespec begin, end;
	struct group group = { 0 };
	const char *verdict;

	doing("making %s", opt.partial);
	make_partial();
	if (opt.freeze)
		group_freeze();
	if (opt.cgroup)
		group_hold();
	clock_gettime(CLOCK_REALTIME, &begin);
	group_scan(&group);
	read_registers(&group);
	group_write();
	write_processes(&group);
	verdict = group_release();
	clock_gettime(CLOCK_REALTIME, &end);
	regs_let_go();
	alarm(0);
	group_thaw();

	write_summary(&group, verdict, &begin, &end);
	if (ferror(notes) | fclose(notes))
		die(EXIT_ERROR, "cannot write notes: %m");
	if (!strcmp(verdict, "torn"))
		die(EXIT_TORN, opt.guard ?
		    "torn: a task had to leave while the group was held" :
		    "torn: the group was thawed meanwhile");
	if (strcmp(verdict, opt.guard && opt.cgroup ? "consistent" :
						      "unguarded"))
		die(EXIT_ERROR, "freezer.checkpoint says '%s'", verdict);

	if (syncfs(out_dir))
		die(EXIT_ERROR, "cannot write %s to disk: %m", opt.partial);

	snprintf(shared->summary, sizeof(shared->summary),
		 "%s, %u processes, %u threads, registers: %s, %u notes, %llu kB, held %lld ms",
		 verdict, group.nr_procs, group.nr_threads, regs_how(),
		 nr_notes, (unsigned long long)shared->bytes / 1024,
		 (long long)(end.tv_sec - begin.tv_sec) * 1000 +
		 (end.tv_nsec - begin.tv_nsec) / 1000000);
	fflush(NULL);
	_exit(EXIT_DONE);
}

/*
 * The supervisor
 */

static void on_signal(int sig)
{
	ended_by = sig;
	if (worker > 0)
		kill(worker, SIGKILL);
}

static const int ending[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };

/* What is ignored stays so: that was nohup(1), or a shell in the background. */
static void set_signals(void (*handler)(int))
{
	struct sigaction sa = { .sa_handler = handler }, old;
	unsigned int i;

	for (i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		if (!sigaction(ending[i], NULL, &old) &&
		    old.sa_handler != SIG_IGN)
			sigaction(ending[i], &sa, NULL);
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	if (remove(path))
		complain("cannot remove %s: %m", path);
	return 0;
}

static pid_t start_worker(void)
{
	pid_t supervisor = getpid(), pid;
	sigset_t chld;

	fflush(NULL);
	pid = fork();
	if (pid)
		return pid;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != supervisor)
		_exit(EXIT_ERROR);
	set_signals(SIG_DFL);
	signal(SIGALRM, SIG_DFL);
	/* for the stops of traced threads, which are waited for in turn */
	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_SETMASK, &chld, NULL);
	work();
	return 0;
}

/* Wait for the worker to end, however it does: the exit status for both. */
static int wait_worker(void)
{
	pid_t pid = worker;
	siginfo_t info;
	int status;

	/* on_signal() must not kill who gets its number after it was reaped */
	while (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) && errno == EINTR)
		continue;
	worker = 0;
	if (waitpid(pid, &status, 0) != pid) {
		complain("waitpid: %m");
		return EXIT_ERROR;
	}
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	if (ended_by)
		return 128 + ended_by;
	if (WTERMSIG(status) == SIGALRM) {
		complain("no progress for %u s: %s", opt.stall_s,
			 shared->doing);
		return EXIT_STALLED;
	}
	complain("ended by signal %d: %s", WTERMSIG(status), shared->doing);
	return 128 + WTERMSIG(status);
}

static int run_worker(void)
{
	pid_t pid = start_worker();

	if (pid < 0) {
		complain("cannot fork: %m");
		return EXIT_ERROR;
	}
	worker = pid;
	/* a signal that came before could not be passed on */
	if (ended_by)
		kill(pid, SIGKILL);
	return wait_worker();
}

static bool rename_to(const char *from, const char *to)
{
	int err = renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);

	/* not every file system has it; rename() takes no directory's place */
	if (err && errno == EINVAL)
		err = rename(from, to);
	if (err)
		complain("cannot rename %s: %m", from);
	return !err;
}

/*
 * The snapshot gets its name.  It is on disk, and nobody kills us in the middle
 * of this but with SIGKILL, so the exit status tells whether it has it.
 */
static int finish_snapshot(void)
{
	char *copy = strdup(opt.name);
	int parent;

	if (!rename_to(opt.partial, opt.name))
		return EXIT_ERROR;
	parent = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY) : -1;
	if (parent < 0 || fsync(parent)) {
		complain("%s would not survive a crash: %m", opt.name);
		rename_to(opt.name, opt.partial);
		return EXIT_ERROR;
	}
	if (!opt.quiet)
		fprintf(stderr, "%s: %s\n", opt.name, shared->summary);
	return EXIT_DONE;
}

/*
 * A worker that was killed within mkdir() did not tell what came of it.  The
 * directory is empty then.  One that is not is somebody else's.
 */
static void discard_snapshot(void)
{
	if (!shared->made) {
		if (shared->making)
			rmdir(opt.partial);
		return;
	}
	if (opt.keep)
		complain("what there is of it is in %s", opt.partial);
	else
		nftw(opt.partial, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(int argc, char **argv)
{
	int status;

	parse_options(argc, argv);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		die(EXIT_ERROR, "out of memory");
	umask(077);

	if (opt.cgroup) {
		group_open();
		group_check_self();
	}
	/* whoever ignores it is not told of the end of a child */
	signal(SIGCHLD, SIG_DFL);
	set_signals(on_signal);

	status = run_worker();
	if (!group_thaw() && !status)
		status = EXIT_ERROR;
	if (!status)
		status = finish_snapshot();
	if (status)
		discard_snapshot();
	return status && ended_by ? 128 + ended_by : status;
}
