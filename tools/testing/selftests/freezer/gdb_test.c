// SPDX-License-Identifier: GPL-2.0
/*
 * gdb and strace, the programs themselves, with a frozen group: attached
 * before the freeze, while FROZEN, and from inside of the group. debugger_test
 * has the system calls that they make, one by one.
 *
 * Skipped where they are not installed.
 *
 * Clauses: C8, C9, C11.
 */
#include <libgen.h>
#include <pthread.h>
#include <stdarg.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_test.h"

/* How long a debugger may take for one command, on a slow machine. */
#define TOOL_LIMIT	60000

/* A debugger that hangs passes TOOL_LIMIT a few times. */
#define TOOL_TEST(name) TEST_F_TIMEOUT(tools, name, 300)

#define NUM_THREADS	4

/* A process that is debugged. The functions are what a backtrace shows. */
struct tracee {
	unsigned long spins;
	unsigned long begun;
	unsigned long done;
	unsigned long bad;
	unsigned long value;
	int pipe[2];
	int event;
};

#define noinline __attribute__((noinline))

static noinline void here_it_spins(struct tracee *t)
{
	for (;;)
		frz_inc(&t->spins);
}

static noinline void *here_it_sleeps(void *arg)
{
	struct timespec ts = { .tv_sec = 100000 };
	struct tracee *t = arg;

	frz_inc(&t->begun);
	clock_nanosleep(CLOCK_MONOTONIC, 0, &ts, NULL);
	frz_inc(&t->bad);
	return NULL;
}

static noinline void *here_it_reads_a_pipe(void *arg)
{
	struct tracee *t = arg;
	char ch;

	frz_inc(&t->begun);
	frz_inc(read(t->pipe[0], &ch, 1) == 1 ? &t->done : &t->bad);
	return NULL;
}

static noinline void *here_it_reads_an_event(void *arg)
{
	struct tracee *t = arg;
	eventfd_t value;

	frz_inc(&t->begun);
	frz_inc(eventfd_read(t->event, &value) ? &t->bad : &t->done);
	return NULL;
}

static const char * const places[NUM_THREADS] = {
	"here_it_spins", "here_it_sleeps", "here_it_reads_a_pipe",
	"here_it_reads_an_event",
};

static int threads(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, here_it_sleeps, arg) ||
	    pthread_create(&thread, NULL, here_it_reads_a_pipe, arg) ||
	    pthread_create(&thread, NULL, here_it_reads_an_event, arg))
		return 1;
	here_it_spins(arg);
	return 0;
}

FIXTURE(tools) {
	char cg[FRZ_PATH_MAX];
	char dir[64];
};

static bool have(const char *tool)
{
	const char *path = getenv("PATH");
	char name[FRZ_PATH_MAX];
	size_t len;

	for (; path && *path; path += len + !!path[len]) {
		len = strcspn(path, ":");
		snprintf(name, sizeof(name), "%.*s/%s", (int)len, path, tool);
		if (!access(name, X_OK))
			return true;
	}
	return false;
}

FIXTURE_SETUP(tools)
{
	if (!have("gdb") || !have("strace"))
		SKIP(return, "gdb and strace are not installed");
	FRZ_GROUP_MAKE(self->cg);
	snprintf(self->dir, sizeof(self->dir), "/tmp/gdb_test.XXXXXX");
	ASSERT_NE(NULL, mkdtemp(self->dir));
}

FIXTURE_TEARDOWN(tools)
{
	char cmd[128];

	if (!self->dir[0])
		return;
	FRZ_GROUP_END(self->cg);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", self->dir);
	EXPECT_EQ(0, system(cmd));
}

/* A program that runs, and what it says. */
struct tool {
	char		out[FRZ_PATH_MAX];
	const char	*argv[24];
	int		in[2];		/* its standard input, if it has one */
	pid_t		pid;
};

static int exec_tool(void *arg)
{
	struct tool *tool = arg;
	int fd;

	fd = open(tool->out, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		return 127;
	fd = tool->in[0] >= 0 ? tool->in[0] : open("/dev/null", O_RDONLY);
	if (fd < 0 || dup2(fd, 0) < 0)
		return 127;
	if (tool->in[1] >= 0)
		close(tool->in[1]);
	/* what it leaves in its home is in the directory of the test */
	setenv("HOME", dirname(strdupa(tool->out)), 1);
	unsetenv("DEBUGINFOD_URLS");
	execvp(tool->argv[0], (char **)tool->argv);
	return 127;
}

/* Start it, in the cgroup @cg or where we are; its pid or -errno. */
static pid_t tool_start(struct tool *tool, const char *dir, const char *cg,
			bool input, ...)
{
	static int num;
	va_list args;
	unsigned int i;

	snprintf(tool->out, sizeof(tool->out), "%s/out.%d", dir, num++);
	va_start(args, input);
	for (i = 0; i < ARRAY_SIZE(tool->argv); i++) {
		tool->argv[i] = va_arg(args, const char *);
		if (!tool->argv[i])
			break;
	}
	va_end(args);
	tool->in[0] = -1;
	tool->in[1] = -1;
	if (input && pipe(tool->in))
		return -errno;
	tool->pid = frz_spawn(cg, exec_tool, tool);
	if (input)
		close(tool->in[0]);
	return tool->pid;
}

static const char *contents(const char *path)
{
	static char buf[1 << 18];
	ssize_t n, len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	while (fd >= 0 && len < (ssize_t)sizeof(buf) - 1 &&
	       (n = read(fd, buf + len, sizeof(buf) - 1 - len)) > 0)
		len += n;
	buf[len] = 0;
	if (fd >= 0)
		close(fd);
	return buf;
}

/* Wait until it has said @text: 0, or -ETIMEDOUT. */
static int tool_says(struct tool *tool, const char *text)
{
	return frz_until(strstr(contents(tool->out), text), TOOL_LIMIT) ?
	       0 : -ETIMEDOUT;
}

/* A command for a gdb that reads them from a pipe, and its answer. */
static int tell(struct tool *gdb, const char *command)
{
	static int num;
	char text[256], mark[32];

	snprintf(mark, sizeof(mark), "mark-%d.", ++num);
	snprintf(text, sizeof(text), "%s\necho %s\\n\n", command, mark);
	if (write(gdb->in[1], text, strlen(text)) < 0)
		return -errno;
	return tool_says(gdb, mark);
}

static int count(const char *text, const char *what)
{
	int num = 0;

	while ((text = strstr(text, what))) {
		num++;
		text++;
	}
	return num;
}

/* Has a backtrace of all threads got them all? "", or what is missing. */
static const char *all_threads(const char *said)
{
	static char why[128];
	int i, num = count(said, "\nThread ");

	if (num != NUM_THREADS) {
		snprintf(why, sizeof(why), "%d threads", num);
		return why;
	}
	for (i = 0; i < NUM_THREADS; i++)
		if (!strstr(said, places[i]))
			return places[i];
	return "";
}

/* The size of a file that grows, 0 if there is none. */
static long size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? 0 : st.st_size;
}

/* Wait until the file has grown: 0, or -ETIMEDOUT. */
static int grows(const char *path)
{
	long size = size_of(path);

	return frz_until(size_of(path) > size, TOOL_LIMIT) ? 0 : -ETIMEDOUT;
}

/* A file stands still, after what had been caught before is written. */
static long stands(const char *path)
{
	long size;

	frz_until_busy((size = size_of(path), frz_sleep_ms(FRZ_WATCH * 5), frz_settle(),
			size_of(path) == size), FRZ_LIMIT);
	frz_sleep_ms(FRZ_WATCH);
	return size_of(path) - size;
}

static struct tracee *new_tracee(const char *cg, pid_t *pid)
{
	struct tracee *t = frz_shared(sizeof(*t));

	if (!t || pipe(t->pipe))
		return NULL;
	t->event = eventfd(0, 0);
	*pid = frz_spawn(cg, threads, t);
	if (t->event < 0 || *pid < 0 ||
	    frz_wait_word(&t->begun, NUM_THREADS - 1, FRZ_LIMIT) ||
	    frz_wait_move(&t->spins, FRZ_LIMIT))
		return NULL;
	return t;
}

/* After the thaw each thread does what it would have done, and has no error. */
#define EXPECT_GOES_ON(t) do { \
	struct tracee *__t = (t); \
	\
	EXPECT_RUNS(&__t->spins); \
	EXPECT_EQ(0, frz_load(&__t->done)); \
	ASSERT_EQ(1, write(__t->pipe[1], "x", 1)); \
	ASSERT_EQ(0, eventfd_write(__t->event, 1)); \
	EXPECT_EQ(0, frz_wait_word(&__t->done, 2, FRZ_LIMIT)); \
	EXPECT_EQ(0, frz_load(&__t->bad)); \
} while (0)

#define GDB "gdb", "-n", "-q", "-iex", "set confirm off", \
	"-iex", "set pagination off", "-iex", "set width 0"

/*
 *	cg	a process of four threads: one spins, the others sleep in
 *		nanosleep(), in the read of a pipe and in that of an eventfd
 *
 * "gdb -p", a backtrace of all threads, a variable written, "detach", three
 * times in one freeze. gdb comes back with all four threads, the state has been
 * FROZEN all the time and no thread has run (C9). After the thaw each goes on.
 * On a kernel whose freezer comes before the ptrace stop gdb hangs until the
 * thaw.
 */
TOOL_TEST(gdb_attaches_to_a_frozen_process)
{
	char pid_arg[16], set[64];
	struct tool gdb = {};
	struct tracee *t;
	unsigned long spins;
	const char *said;
	int i, status;
	pid_t pid;

	t = new_tracee(self->cg, &pid);
	ASSERT_NE(NULL, t);
	ASSERT_FREEZES(self->cg);
	spins = frz_load(&t->spins);
	snprintf(pid_arg, sizeof(pid_arg), "%d", pid);
	for (i = 1; i <= 3; i++) {
		snprintf(set, sizeof(set), "set var *(long *)%p = %d",
			 &t->value, i);
		ASSERT_LT(0, tool_start(&gdb, self->dir, NULL, false, GDB,
					"-batch", "-p", pid_arg,
					"-ex", "thread apply all bt",
					"-ex", set, "-ex", "info registers",
					"-ex", "detach", NULL));
		status = frz_wait_exit(gdb.pid, TOOL_LIMIT);
		if (status < 0)
			kill(gdb.pid, SIGKILL);
		said = contents(gdb.out);
		ASSERT_EQ(0, status) {
			TH_LOG("round %d: %s", i, said);
		}
		EXPECT_STREQ("", all_threads(said)) {
			TH_LOG("%s", said);
		}
		EXPECT_EQ(i, frz_load(&t->value));
		EXPECT_STATE(self->cg, "FROZEN");
		EXPECT_EQ(spins, frz_load(&t->spins));
		EXPECT_NE('t', frz_task_state(pid));
	}
	/* It did not become FROZEN again: it was all the time. */
	EXPECT_STAT(1, self->cg, "generation");
	ASSERT_THAWS(self->cg);
	EXPECT_GOES_ON(t);
}

/*
 * gdb has stopped the process before the freeze. FROZEN comes at once, and gdb
 * looks at the process as if nothing were. It runs when it is thawed and gdb has
 * let it go, in this order and in the other one.
 */
TOOL_TEST(gdb_attached_before)
{
	char pid_arg[16], attach[32];
	struct tool gdb = {};
	struct tracee *t;
	pid_t pid;
	int i;

	t = new_tracee(self->cg, &pid);
	ASSERT_NE(NULL, t);
	snprintf(pid_arg, sizeof(pid_arg), "%d", pid);
	ASSERT_LT(0, tool_start(&gdb, self->dir, NULL, true, GDB, "-p",
				pid_arg, NULL));
	for (i = 0; i < 2; i++) {
		snprintf(attach, sizeof(attach), "attach %d", pid);
		ASSERT_EQ(0, tell(&gdb, i ? attach : "info threads"));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, truncate(gdb.out, 0));
		ASSERT_EQ(0, tell(&gdb, "thread apply all bt"));
		EXPECT_STREQ("", all_threads(contents(gdb.out))) {
			TH_LOG("%s", contents(gdb.out));
		}
		EXPECT_STATE(self->cg, "FROZEN");
		/* first the thaw, then the detach; then the other way round */
		if (!i)
			ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, tell(&gdb, "detach"));
		if (i) {
			EXPECT_STANDS(&t->spins);
			EXPECT_STATE(self->cg, "FROZEN");
			ASSERT_THAWS(self->cg);
		}
		EXPECT_RUNS(&t->spins);
	}
	EXPECT_STAT(2, self->cg, "generation");
	close(gdb.in[1]);
	EXPECT_EQ(0, frz_wait_exit(gdb.pid, TOOL_LIMIT));
	EXPECT_GOES_ON(t);
}

/*
 *	cg	the process, and gdb, which has stopped it
 *
 * Both are frozen; after the thaw gdb goes on with what it was told meanwhile.
 */
TOOL_TEST(gdb_inside)
{
	struct tool gdb = {};
	char pid_arg[16];
	struct tracee *t;
	pid_t pid;

	t = new_tracee(self->cg, &pid);
	ASSERT_NE(NULL, t);
	snprintf(pid_arg, sizeof(pid_arg), "%d", pid);
	ASSERT_LT(0, tool_start(&gdb, self->dir, self->cg, true, GDB, "-p",
				pid_arg, NULL));
	ASSERT_EQ(0, tell(&gdb, "info threads"));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, truncate(gdb.out, 0));
	ASSERT_LT(0, write(gdb.in[1], "thread apply all bt\n", 20));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, size_of(gdb.out));
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(0, tell(&gdb, "detach"));
	EXPECT_STREQ("", all_threads(contents(gdb.out))) {
		TH_LOG("%s", contents(gdb.out));
	}
	close(gdb.in[1]);
	EXPECT_EQ(0, frz_wait_exit(gdb.pid, TOOL_LIMIT));
	EXPECT_GOES_ON(t);
}

/* Makes calls and, if it is to, forks, and looks whether one went wrong. */
struct caller {
	unsigned long forks;
	unsigned long calls;
	unsigned long bad;
};

static int make_calls(void *arg)
{
	struct timespec ts = { .tv_nsec = 1000000 };
	struct caller *c = arg;
	int status;
	pid_t pid;

	for (;;) {
		if (getppid() <= 0 || nanosleep(&ts, NULL))
			frz_inc(&c->bad);
		if (frz_load(&c->forks)) {
			pid = fork();
			if (!pid)
				_exit(7);
			if (waitpid(pid, &status, 0) != pid || status != 7 << 8)
				frz_inc(&c->bad);
		}
		frz_inc(&c->calls);
	}
	return 0;
}

#define STRACE(file) "strace", "-f", "-o", file, "-p"

/*
 * strace is there before the freeze: FROZEN comes at once, ten times, and there
 * is nothing to report until the thaw. It goes away while FROZEN.
 *
 * It attaches while nothing forks: what it sees first of a process in fork() is
 * the event, in the middle of the call, and it takes the exit from each system
 * call for the entry into one from then on.
 */
TOOL_TEST(strace_attached_before)
{
	struct caller *c = frz_shared(sizeof(*c));
	char pid_arg[16], file[128];
	struct tool strace = {};
	unsigned long calls;
	pid_t pid;
	int i;

	ASSERT_NE(NULL, c);
	snprintf(file, sizeof(file), "%s/strace", self->dir);
	pid = ASSERT_PID(frz_spawn(self->cg, make_calls, c));
	snprintf(pid_arg, sizeof(pid_arg), "%d", pid);
	ASSERT_LT(0, tool_start(&strace, self->dir, NULL, false, STRACE(file),
				pid_arg, NULL));
	ASSERT_EQ(0, tool_says(&strace, "attached"));
	ASSERT_EQ(0, grows(file));
	frz_store(&c->forks, 1);
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, frz_wait_move(&c->calls, TOOL_LIMIT));
		ASSERT_EQ(0, grows(file));
		ASSERT_FREEZES(self->cg);
		calls = frz_load(&c->calls);
		EXPECT_EQ(0, stands(file));
		EXPECT_EQ(calls, frz_load(&c->calls));
		if (i < 9)
			ASSERT_THAWS(self->cg);
	}
	ASSERT_EQ(0, kill(strace.pid, SIGINT));
	EXPECT_LE(0, frz_wait_exit(strace.pid, TOOL_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STAT(10, self->cg, "generation");
	EXPECT_EQ(calls, frz_load(&c->calls));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_move(&c->calls, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&c->bad));
	EXPECT_NE(NULL, strstr(contents(file), "getppid()")) {
		TH_LOG("%ld calls, strace has said: %s", frz_load(&c->calls),
		       contents(file));
	}
}

/*
 * strace comes while FROZEN: it says that it is attached, the state is FROZEN
 * all the time, nothing of the process runs; after the thaw it reports the calls,
 * and the process goes on when it has gone.
 */
TOOL_TEST(strace_attaches_while_frozen)
{
	struct caller *c = frz_shared(sizeof(*c));
	char pid_arg[16], file[128];
	struct tool strace = {};
	unsigned long calls;
	pid_t pid;

	ASSERT_NE(NULL, c);
	snprintf(file, sizeof(file), "%s/strace", self->dir);
	frz_store(&c->forks, 1);
	pid = ASSERT_PID(frz_spawn(self->cg, make_calls, c));
	snprintf(pid_arg, sizeof(pid_arg), "%d", pid);
	ASSERT_EQ(0, frz_wait_word(&c->calls, 3, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	calls = frz_load(&c->calls);
	ASSERT_LT(0, tool_start(&strace, self->dir, NULL, false, STRACE(file),
				pid_arg, NULL));
	ASSERT_EQ(0, tool_says(&strace, "attached"));
	EXPECT_EQ(0, stands(file));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STAT(1, self->cg, "generation");
	EXPECT_EQ(calls, frz_load(&c->calls));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, grows(file));
	EXPECT_EQ(0, frz_wait_word(&c->calls, calls + 5, TOOL_LIMIT));
	ASSERT_EQ(0, kill(strace.pid, SIGINT));
	EXPECT_LE(0, frz_wait_exit(strace.pid, TOOL_LIMIT));
	EXPECT_EQ(0, frz_wait_move(&c->calls, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&c->bad));
	EXPECT_NE(NULL, strstr(contents(file), "getppid()"));
}

/*
 *	cg	strace, the shell that it follows, and its children
 *
 * Twenty freezes: FROZEN each time (C8), though a tracee waits for a tracer
 * that is frozen, and it goes on after each thaw.
 */
TOOL_TEST(strace_inside)
{
	struct tool strace = {};
	char file[128];
	int i;

	snprintf(file, sizeof(file), "%s/strace", self->dir);
	ASSERT_LT(0, tool_start(&strace, self->dir, self->cg, false, "strace",
				"-f", "-o", file, "sh", "-c",
				"while sh -c true; do :; done", NULL));
	ASSERT_EQ(0, grows(file));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, grows(file));
		ASSERT_FREEZES(self->cg);
		EXPECT_EQ(0, stands(file));
		ASSERT_THAWS(self->cg);
	}
	EXPECT_EQ(0, grows(file));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(strace.pid, 0));
}

/*
 * The core file of a snapshot that was made under the checkpoint guard (C11):
 * gdb finds the four threads and where they were, and readelf has nothing to
 * complain about.
 */
TOOL_TEST(snapshot_opens)
{
	char self_path[FRZ_PATH_MAX - 32] = "", path[FRZ_PATH_MAX];
	char core[192], name[128], regs[32];
	struct tool tool = {};
	struct tracee *t;
	const char *said;
	int i;
	pid_t pid;

	if (!have("readelf"))
		SKIP(return, "readelf is not installed");
	t = new_tracee(self->cg, &pid);
	ASSERT_NE(NULL, t);
	ASSERT_LT(0, readlink("/proc/self/exe", self_path,
			      sizeof(self_path) - 1));
	snprintf(path, sizeof(path), "%s/freezer_snapshot",
		 dirname(strdupa(self_path)));
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "%s/s%d", self->dir, i);
		snprintf(regs, sizeof(regs), "--registers=%s",
			 i ? "syscall" : "auto");
		ASSERT_LT(0, tool_start(&tool, self->dir, NULL, false, path,
					regs, self->cg, name, NULL));
		ASSERT_EQ(0, frz_wait_exit(tool.pid, TOOL_LIMIT)) {
			TH_LOG("%s", contents(tool.out));
		}
		snprintf(core, sizeof(core), "%s/%d/core", name, pid);

		ASSERT_LT(0, tool_start(&tool, self->dir, NULL, false, GDB,
					"-batch", self_path, core,
					"-ex", "thread apply all bt", NULL));
		ASSERT_EQ(0, frz_wait_exit(tool.pid, TOOL_LIMIT));
		said = contents(tool.out);
		EXPECT_STREQ("", all_threads(said)) {
			TH_LOG("%s", said);
		}

		ASSERT_LT(0, tool_start(&tool, self->dir, NULL, false,
					"readelf", "-hlnW", core, NULL));
		EXPECT_EQ(0, frz_wait_exit(tool.pid, TOOL_LIMIT));
		said = contents(tool.out);
		EXPECT_NE(NULL, strstr(said, "CORE (Core file)"));
		EXPECT_EQ(NUM_THREADS, count(said, "NT_PRSTATUS"));
		EXPECT_EQ(NULL, strstr(said, "Warning"));
		EXPECT_EQ(NULL, strstr(said, "Error")) {
			TH_LOG("%s", said);
		}
	}
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_GOES_ON(t);
}

TEST_HARNESS_MAIN
