// SPDX-License-Identifier: GPL-2.0
/*
 * The program freezer_snapshot: what it finds of a process, what it says, and
 * what it leaves behind when something goes wrong. That its snapshots are of one
 * moment is shown by snapshot_test.
 *
 * Clauses: C11.
 */
#include <elf.h>
#include <sched.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/procfs.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "fuse_util.h"
#include "snapshot_bank.h"
#include "snapshot_read.h"
#include "snapshot_tool.h"

/*
 * A process with all kinds of memory
 */

#define MEG		(1024 * 1024UL)
#define SPARSE		(256 * MEG)
#define PAGE		((unsigned long)getpagesize())

struct sample {
	char		*sparse;	/* private, a mark in the middle */
	char		*shared;	/* the same of shared memory */
	char		*constant;	/* written to, now read-only */
	char		*hidden;	/* written to, now without any access */
	char		*secret;	/* not for core dumps */
	int		fd;		/* a file, at offset 5 */
	int		full[2];	/* a pipe with 60000 bytes in it */
	unsigned long	ready;
};

/* Memory with a mark, with @prot afterwards. */
static char *marked(size_t size, int flags, const char *mark, int prot)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       flags | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		_exit(1);
	memcpy(p + size / 2, mark, strlen(mark) + 1);
	if (mprotect(p, size, prot))
		_exit(1);
	return p;
}

static int be_sample(void *arg)
{
	char name[] = "/tmp/snapshot_sample.XXXXXX";
	const int rw = PROT_READ | PROT_WRITE;
	struct sample *sample = arg;
	char buf[60000];
	const char *vdso;
	int i;

	sample->sparse = marked(SPARSE, MAP_PRIVATE, "sparse", rw);
	sample->shared = marked(SPARSE, MAP_SHARED, "shared", rw);
	sample->constant = marked(PAGE, MAP_PRIVATE, "constant", PROT_READ);
	sample->hidden = marked(PAGE, MAP_PRIVATE, "hidden", PROT_NONE);
	sample->secret = marked(PAGE, MAP_PRIVATE, "secret", rw);
	if (madvise(sample->secret, PAGE, MADV_DONTDUMP))
		return 1;

	sample->fd = mkstemp(name);
	if (sample->fd < 0 || write(sample->fd, "0123456789", 10) != 10 ||
	    lseek(sample->fd, 5, SEEK_SET) != 5)
		return 1;
	unlink(name);
	memset(buf, 'p', sizeof(buf));
	if (pipe(sample->full) ||
	    write(sample->full[1], buf, sizeof(buf)) != sizeof(buf))
		return 1;

	/* so that it is there; that is the kernel's memory, not ours */
	vdso = (const char *)getauxval(AT_SYSINFO_EHDR);
	for (i = 0; vdso && i < 2; i++) {
		/* it may have a page only */
		if (msync((void *)(vdso + i * PAGE), PAGE, MS_ASYNC))
			break;
		buf[i] ^= vdso[i * PAGE];
	}

	frz_inc(&sample->ready);
	for (;;)
		pause();
}

static char *statm_of(pid_t pid, char *buf, size_t size)
{
	char name[64];

	snprintf(name, sizeof(name), "%d/statm", pid);
	if (snapshot_file("/proc", name, buf, size) < 0)
		buf[0] = 0;
	return buf;
}

/* The mark in a core file, or what is instead. */
static const char *mark_in(struct core *core, const char *area, size_t size)
{
	static char buf[16];
	ssize_t n;

	memset(buf, 0, sizeof(buf));
	n = core_read(core, area + size / 2, buf, sizeof(buf) - 1);
	return n < 0 ? "no memory" : n ? buf : "left out";
}

/*
 * A core file has everything in it, and reading it changes nothing: memory that
 * was written to, whatever its protection is now; holes stay holes, in the core
 * file and in the process, whose memory does not grow; what is not wanted in
 * core dumps is left out, with a note, unless --all asks for it. The pipe is
 * as full as it was, and its 60000 bytes are in the snapshot.
 */
FREEZER_TEST(all_of_a_process)
{
	static char buf[65536], before[256], after[256];
	struct sample *sample = frz_shared(sizeof(*sample));
	struct core core;
	struct stat st;
	char name[64];
	size_t size;
	pid_t pid;

	ASSERT_NE(NULL, sample);
	ASSERT_STREQ("", make_dir());
	pid = ASSERT_PID(frz_spawn(self->cg, be_sample, sample));
	ASSERT_EQ(0, frz_wait_word(&sample->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	statm_of(pid, before, sizeof(before));
	ASSERT_EQ(TOOL_DONE, tool("--files", "--smaps", self->cg, "s")) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_STREQ(before, statm_of(pid, after, sizeof(after)));
	EXPECT_STATE(self->cg, "FROZEN");

	ASSERT_STREQ("", core_open(&core, in_dir("s"), pid));
	EXPECT_EQ(1, core.nr_threads);
	EXPECT_STREQ("sparse", mark_in(&core, sample->sparse, SPARSE));
	EXPECT_STREQ("shared", mark_in(&core, sample->shared, SPARSE));
	EXPECT_STREQ("constant", mark_in(&core, sample->constant, PAGE));
	EXPECT_STREQ("hidden", mark_in(&core, sample->hidden, PAGE));
	EXPECT_STREQ("left out", mark_in(&core, sample->secret, PAGE));
	EXPECT_EQ(sizeof(buf), core_read(&core, sample->sparse, buf,
					 sizeof(buf)));
	EXPECT_EQ(0, buf[0] | buf[sizeof(buf) - 1]);
	EXPECT_LT(2 * SPARSE, core.size);
	EXPECT_GT(4 * MEG, core.blocks);
	EXPECT_NE(NULL, core_note(&core, pid, NT_AUXV, &size));
	core_close(&core);

	EXPECT_LT(0, snapshot_file(in_dir("s"), "notes", buf, sizeof(buf)));
	EXPECT_NE(NULL, strstr(buf, "MADV_DONTDUMP"));
	EXPECT_LT(0, snapshot_file(in_dir("s"), "cgroup/freezer.state", buf,
				   sizeof(buf)));
	EXPECT_STREQ("CHECKPOINTING\n", buf);
	snprintf(name, sizeof(name), "%d/fdinfo/%d", pid, sample->fd);
	EXPECT_LT(0, snapshot_file(in_dir("s"), name, buf, sizeof(buf)));
	EXPECT_EQ(0, strncmp("pos:\t5\n", buf, 7)) {
		TH_LOG("%s", buf);
	}
	snprintf(name, sizeof(name), "/proc/%d/fd/%d", pid, sample->full[0]);
	ASSERT_EQ(0, stat(name, &st));
	snprintf(name, sizeof(name), "pipes/%lu", (unsigned long)st.st_ino);
	EXPECT_EQ(60000, snapshot_file(in_dir("s"), name, buf, sizeof(buf)));
	EXPECT_EQ('p', buf[59999]);

	ASSERT_EQ(TOOL_DONE, tool("--all", self->cg, "all")) {
		TH_LOG("%s", tool_said());
	}
	ASSERT_STREQ("", core_open(&core, in_dir("all"), pid));
	EXPECT_STREQ("secret", mark_in(&core, sample->secret, PAGE));
	core_close(&core);
	EXPECT_EQ(60000, snapshot_file(in_dir("all"), name, buf, sizeof(buf)));
	remove_tree(tool_dir);
}

/*
 * It says how far it is, a line for each process, and what came of it; nothing
 * with --quiet. With --help it explains itself.
 */
FREEZER_TEST(progress)
{
	unsigned long *word = ASSERT_WORDS(3);
	char line[32];
	int i;

	ASSERT_STREQ("", make_dir());
	for (i = 0; i < 3; i++)
		ASSERT_SLEEPER(self->cg, &word[i]);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(TOOL_DONE, tool(self->cg, "s"));
	for (i = 1; i <= 3; i++) {
		snprintf(line, sizeof(line), "[%d/3] ", i);
		EXPECT_NE(NULL, strstr(tool_said(), line)) {
			TH_LOG("%s", tool_said());
		}
	}
	EXPECT_NE(NULL, strstr(tool_said(), "s: consistent, 3 processes"));
	ASSERT_EQ(TOOL_DONE, tool("--quiet", self->cg, "t"));
	EXPECT_STREQ("", tool_said());
	EXPECT_EQ(TOOL_DONE, tool("--help"));
	EXPECT_NE(NULL, strstr(tool_said(), "SYNOPSIS"));
	remove_tree(tool_dir);
}

/*
 * When it cannot be done it says why, by its exit status and in words, and
 * leaves nothing behind: a group that is not FROZEN; one that somebody else
 * holds; a name that is taken; a directory that is no cgroup; an option that
 * does not exist. The state of the group is as it was before.
 */
FREEZER_TEST(refusals)
{
	unsigned long *word = ASSERT_WORDS(1);
	char stat_file[FRZ_PATH_MAX + 16];
	int fd;

	ASSERT_STREQ("", make_dir());
	ASSERT_SPINNER(self->cg, word);

	EXPECT_EQ(TOOL_NOT_FROZEN, tool(self->cg, "s"));
	EXPECT_NE(NULL, strstr(tool_said(), "not FROZEN"));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_EQ(TOOL_USAGE, tool("--nonsense", self->cg, "s"));
	EXPECT_EQ(TOOL_USAGE, tool(self->cg));
	EXPECT_EQ(TOOL_ERROR, tool("/tmp", "s"));

	ASSERT_FREEZES(self->cg);
	fd = guard_open_flags(self->cg, O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(TOOL_BUSY, tool("--freeze", self->cg, "s"));
	EXPECT_NE(NULL, strstr(tool_said(), "somebody else")) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	/* the same if it cannot read another file before it says so */
	snprintf(stat_file, sizeof(stat_file), "%s/freezer.stat", self->cg);
	ASSERT_EQ(0, mknod(in_dir("socket"), S_IFSOCK | 0600, 0));
	EXPECT_EQ(TOOL_BUSY, tool_with(stat_file, in_dir("socket"), self->cg, "s")) {
		TH_LOG("%s", tool_said());
	}
	close(fd);
	EXPECT_STATE(self->cg, "FROZEN");

	ASSERT_EQ(0, mkdir(in_dir("s"), 0700));
	EXPECT_EQ(TOOL_ERROR, tool(self->cg, "s"));
	ASSERT_EQ(0, rmdir(in_dir("s")));
	EXPECT_FALSE(exists("s.partial"));
	EXPECT_STATE(self->cg, "FROZEN");

	/* it thaws only what it has frozen */
	EXPECT_EQ(TOOL_DONE, tool("--freeze", self->cg, "s"));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(TOOL_DONE, tool("--freeze", self->cg, "t"));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_RUNS(word);
	remove_tree(tool_dir);
}

/*
 * It is ended at some point, by SIGTERM in turn with SIGKILL. With SIGTERM it
 * tidies up: the group runs again and there is nothing on disk, or everything.
 * With SIGKILL nobody is left to thaw, but the guard is free, and what has the
 * name is complete.
 */
FREEZER_TEST(ended_at_some_point)
{
	unsigned int i, complete = 0;
	struct bank bank;

	ASSERT_STREQ("", make_dir());
	ASSERT_EQ(0, bank_open(&bank, self->cg));

	for (i = 0; i < 20; i++) {
		int sig = i % 2 ? SIGKILL : SIGTERM, ret, err;
		char name[16], partial[32];
		const char *const args[] = { "--freeze", "--registers=syscall",
					     self->cg, name, NULL };
		pid_t pid;

		snprintf(name, sizeof(name), "s%u", i);
		snprintf(partial, sizeof(partial), "%s.partial", name);
		pid = tool_start(args);
		ASSERT_LT(0, pid);
		frz_sleep_ms(i * i);
		kill(pid, sig);
		ret = tool_result(pid);
		ASSERT_TRUE(ret == TOOL_DONE || ret == 128 + sig) {
			TH_LOG("%d: %s", ret, tool_said());
		}
		if (sig == SIGTERM) {
			EXPECT_STATE(self->cg, "THAWED");
			EXPECT_FALSE(exists(partial));
			EXPECT_EQ(ret == TOOL_DONE, exists(name));
		}
		/* the worker is killed a little later than its parent */
		frz_until((err = frz_thaw(self->cg)) != -EBUSY, FRZ_LIMIT);
		ASSERT_EQ(0, err);
		if (exists(name)) {
			EXPECT_STREQ("consistent",
				     snapshot_key(in_dir(name), "verdict"));
			complete++;
		} else {
			EXPECT_NE(TOOL_DONE, ret);
		}
		ASSERT_EQ(0, bank_turns(&bank, 1, FRZ_LIMIT));
	}
	TH_LOG("%u of %u were complete", complete, i);
	EXPECT_STREQ("", bank_health(&bank));
	remove_tree(tool_dir);
}

static int block_signals(void *arg)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMAX);
	sigprocmask(SIG_SETMASK, &set, NULL);
	raise(SIGUSR1);
	raise(SIGRTMAX);
	return frz_sleep(arg);
}

/*
 * A process blocks the last signal that there is, too, and has it pending: its core file
 * has as much of both masks as a word holds, the first signals.
 */
FREEZER_TEST(masks_of_signals)
{
	unsigned long *word = ASSERT_WORDS(1), want;
	struct elf_prstatus status;
	const void *note;
	struct core core;
	char arg[16];
	pid_t pid;

	want = 1UL << (SIGUSR1 - 1);
	if (SIGRTMAX <= (int)sizeof(want) * 8)
		want |= 1UL << (SIGRTMAX - 1);
	ASSERT_STREQ("", make_dir());
	pid = ASSERT_PID(frz_spawn(self->cg, block_signals, word));
	ASSERT_EQ(0, frz_wait_word(word, 1, FRZ_LIMIT));
	snprintf(arg, sizeof(arg), "%d", pid);
	ASSERT_EQ(TOOL_DONE, tool("--registers=none", "--pids", arg, "s")) {
		TH_LOG("%s", tool_said());
	}
	ASSERT_STREQ("", core_open(&core, in_dir("s"), pid));
	note = core_note(&core, pid, NT_PRSTATUS, NULL);
	ASSERT_NE(NULL, note);
	/* with times of another size, which come behind the masks */
	memcpy(&status, note, offsetof(struct elf_prstatus, pr_pid));
	EXPECT_EQ(want, status.pr_sigpend);
	EXPECT_EQ(want, status.pr_sighold);
	core_close(&core);
	remove_tree(tool_dir);
}

/* The next stop of a tracee, or its end: the wait status, or -errno. */
static int next_stop(pid_t pid)
{
	int status;
	pid_t ret;

	frz_until_busy((ret = waitpid(pid, &status, WNOHANG | __WALL)),
		       FRZ_LIMIT);
	return !ret ? -ETIMEDOUT : ret < 0 ? -errno : status;
}

/* Start the tool: its worker, stopped before it has done anything, or 0. */
static pid_t worker_start(const char *const *args, pid_t *supervisor)
{
	const long options = PTRACE_O_TRACEFORK | PTRACE_O_EXITKILL |
			     PTRACE_O_TRACESYSGOOD;
	unsigned long worker;
	pid_t pid = fork();

	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		tool_exec(args);
	}
	*supervisor = pid;
	if (pid < 0 || next_stop(pid) >> 8 != SIGTRAP ||
	    ptrace(PTRACE_SETOPTIONS, pid, 0, options) ||
	    ptrace(PTRACE_CONT, pid, 0, 0) ||
	    next_stop(pid) >> 8 != (SIGTRAP | PTRACE_EVENT_FORK << 8) ||
	    ptrace(PTRACE_GETEVENTMSG, pid, 0, &worker) ||
	    next_stop(worker) >> 8 != SIGSTOP ||
	    ptrace(PTRACE_DETACH, pid, 0, 0))
		return 0;
	return worker;
}

/*
 * It is ended after each of the first steps of its worker, and after many of
 * the others, where a step is the way to the next entry or exit of a system
 * call. The group runs again, and there is nothing on disk; if it was too late
 * to end it, it says that it is done, and everything is there.
 */
FREEZER_LONG_TEST(ended_at_each_step)
{
	unsigned long *word = ASSERT_WORDS(1);
	unsigned int step, steps, runs = 0;
	bool done = false;

	ASSERT_STREQ("", make_dir());
	ASSERT_SPINNER(self->cg, word);

	for (step = 1; !done; step += step < 100 ? 1 : 37) {
		const char *const args[] = { "--freeze", "--registers=syscall",
					     self->cg, "s", NULL };
		int status = 0, ret;
		pid_t pid, worker;

		worker = worker_start(args, &pid);
		ASSERT_LT(0, worker);
		for (steps = 0; steps < step; steps++) {
			ASSERT_EQ(0, ptrace(PTRACE_SYSCALL, worker, 0, 0));
			status = next_stop(worker);
			ASSERT_LE(0, status);
			if (WIFEXITED(status))
				break;
			ASSERT_EQ(SIGTRAP | 0x80, status >> 8);
		}
		ASSERT_EQ(0, kill(pid, SIGTERM));
		if (!WIFEXITED(status)) {
			status = next_stop(worker);
			ASSERT_EQ(SIGKILL, status) {
				TH_LOG("step %u", step);
			}
		}
		ret = tool_result(pid);
		done = ret == TOOL_DONE;
		ASSERT_TRUE(done || ret == 128 + SIGTERM) {
			TH_LOG("step %u: %d, %s", step, ret, tool_said());
		}
		EXPECT_STATE(self->cg, "THAWED");
		EXPECT_EQ(done, exists("s"));
		ASSERT_FALSE(exists("s.partial")) {
			TH_LOG("step %u: %d, %s", step, ret, tool_said());
		}
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
		runs++;
	}
	TH_LOG("%u steps, ended at %u of them", steps, runs - 1);
	EXPECT_LE(100, runs);
	remove_tree(tool_dir);
}

/*
 * Signals and a tracer
 */

struct listener {
	unsigned long ready;
	unsigned long heard;		/* the numbers that came, a digit for each */
};

static struct listener *listener;

static void hear(int sig, siginfo_t *info, void *context)
{
	frz_store(&listener->heard, frz_load(&listener->heard) * 10 + info->si_value.sival_int);
}

static int be_listener(void *arg)
{
	struct sigaction sa = { .sa_sigaction = hear, .sa_flags = SA_SIGINFO };

	listener = arg;
	if (sigaction(SIGRTMIN, &sa, NULL))
		return 1;
	frz_inc(&listener->ready);
	while (pause() < 0)
		continue;
	return 1;
}

/* Let the worker run until it has attached itself to @pid, and stop it there: 0 or -errno. */
static int until_attached(pid_t worker, pid_t pid)
{
	int64_t end = frz_now_ns() + FRZ_LIMIT * 1000000LL;
	int status;

	while (frz_now_ns() < end) {
		if (ptrace(PTRACE_SYSCALL, worker, 0, 0))
			return -errno;
		status = next_stop(worker);
		if (status < 0)
			return status;
		if (status >> 8 != (SIGTRAP | 0x80))
			return -EPROTO;
		if (frz_proc_status(pid, "TracerPid") > 0)
			return 0;
	}
	return -ETIMEDOUT;
}

/* SIGSTOP, or three of a signal that is queued, with numbers. */
static int send_signals(pid_t pid, int sig)
{
	union sigval value;

	if (sig == SIGSTOP)
		return kill(pid, sig);
	for (value.sival_int = 1; value.sival_int <= 3; value.sival_int++)
		if (sigqueue(pid, sig, value))
			return -errno;
	return 0;
}

static bool has_signals(struct listener *to, pid_t pid, int sig)
{
	return sig == SIGSTOP ? frz_task_state(pid) == 'T' : frz_load(&to->heard) == 123;
}

/*
 * A signal comes when the program has attached itself to a process, and has not yet
 * asked it to stop: the process stops for the tracer before it has the signal. It gets
 * that signal, and those behind it, in order; a stop signal stops it.
 */
FREEZER_TEST(signals_meet_the_tracer)
{
	const int sigs[] = { SIGRTMIN, SIGSTOP };
	struct listener *to = frz_shared(sizeof(*to));
	pid_t pid, worker, supervisor;
	unsigned int i;
	char arg[16];

	ASSERT_NE(NULL, to);
	ASSERT_STREQ("", make_dir());
	pid = ASSERT_PID(frz_spawn(self->cg, be_listener, to));
	ASSERT_EQ(0, frz_wait_word(&to->ready, 1, FRZ_LIMIT));
	snprintf(arg, sizeof(arg), "%d", pid);

	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		const char *const args[] = { "--registers=ptrace", "--registers-wait=5000",
					     "--pids", arg, "s", NULL };

		ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
		worker = worker_start(args, &supervisor);
		ASSERT_LT(0, worker);
		ASSERT_EQ(0, until_attached(worker, pid));
		ASSERT_EQ(0, send_signals(pid, sigs[i]));
		ASSERT_EQ(0, wait_task_state(pid, 't'));
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, worker, 0, 0));
		ASSERT_EQ(TOOL_DONE, tool_result(supervisor)) {
			TH_LOG("%s", tool_said());
		}
		EXPECT_STREQ("1 full, 0 partial, 0 none", snapshot_key(in_dir("s"), "registers"));
		EXPECT_EQ(0, frz_proc_status(pid, "TracerPid"));
		EXPECT_TRUE(frz_until(has_signals(to, pid, sigs[i]), FRZ_AT_ONCE)) {
			TH_LOG("signal %d, heard %lu", sigs[i], frz_load(&to->heard));
		}
		remove_tree(in_dir("s"));
	}
	remove_tree(tool_dir);
}

/* A stopped process has all registers, stays stopped, and goes on with SIGCONT. */
FREEZER_TEST(a_stopped_process)
{
	unsigned long *word = ASSERT_WORDS(1);
	char arg[16];
	pid_t pid;

	ASSERT_STREQ("", make_dir());
	pid = ASSERT_SPINNER(self->cg, word);
	snprintf(arg, sizeof(arg), "%d", pid);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_EQ(0, wait_task_state(pid, 'T'));
	ASSERT_EQ(TOOL_DONE, tool("--registers=ptrace", "--pids", arg, "s")) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_STREQ("1 full, 0 partial, 0 none", snapshot_key(in_dir("s"), "registers"));
	EXPECT_EQ(0, wait_task_state(pid, 'T'));
	EXPECT_STANDS(word);
	EXPECT_EQ(0, kill(pid, SIGCONT));
	EXPECT_RUNS(word);
	remove_tree(tool_dir);
}

static int open_fuse(void *arg)
{
	if (open(fuse_dir, O_RDONLY) < 0)
		return 1;
	frz_inc(arg);
	for (;;)
		pause();
}

/*
 * A process of the group has a directory open that is on a file server, and
 * the server does not answer any more. It would wait for ever, and the group be
 * held for as long. It gives up when the time of --stall is over and says what
 * it was at, the group runs again, and there is nothing on disk.
 */
FREEZER_TEST(a_file_server_that_is_gone)
{
	unsigned long *word = ASSERT_WORDS(2);
	const struct fuse_open_out opened = { .fh = 1 };
	struct request req;
	int fd, left = FRZ_LIMIT / 10;

	ASSERT_STREQ("", make_dir());
	fd = mount_fuse();
	ASSERT_LE(0, fd);
	ASSERT_PID(frz_spawn(self->cg, open_fuse, &word[0]));
	while (!frz_load(&word[0]) && left--) {
		int opcode = next_request(fd, &req, 10);

		if (opcode == FUSE_OPENDIR)
			answer(fd, &req, 0, &opened, sizeof(opened));
		else if (opcode >= 0)
			serve(fd, &req);
	}
	ASSERT_EQ(1, frz_load(&word[0]));
	ASSERT_SPINNER(self->cg, &word[1]);

	EXPECT_EQ(TOOL_STALLED, tool("--freeze", "--stall=2", self->cg, "s"));
	EXPECT_NE(NULL, strstr(tool_said(), "no progress for 2 s")) {
		TH_LOG("%s", tool_said());
	}
	EXPECT_FALSE(exists("s"));
	EXPECT_FALSE(exists("s.partial"));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_RUNS(&word[1]);
	close(fd);
	umount2(fuse_dir, MNT_FORCE);
	umount2(fuse_dir, MNT_DETACH);
	rmdir(fuse_dir);
	remove_tree(tool_dir);
}

TEST_HARNESS_MAIN
