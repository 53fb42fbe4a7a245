// SPDX-License-Identifier: GPL-2.0
/*
 * cgroup v2: what becomes of the tasks of a frozen cgroup, and for which of them
 * "frozen 1" is said.
 *
 * Clauses: U3, U12, U13, U14, U15, U16, U17, U24.
 */
#include <dirent.h>
#include <elf.h>
#include <linux/filter.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "ext2_util.h"
#include "freezer_lost.h"
#include "fuse_util.h"
#include "uring_util.h"
#include "v2_fixture.h"

/* What "frozen 1" may take beside the patience with a blocked task. */
#define SLACK_MS	100

static void *spin_thread(void *arg)
{
	frz_spin(arg);
	return NULL;
}

/* Two threads that spin, with the default action for each signal. */
static int spin_in_two(void *arg)
{
	pthread_t thread;
	int sig;

	for (sig = 1; sig < SIGRTMIN; sig++)
		signal(sig, SIG_DFL);
	if (chdir("/tmp") || pthread_create(&thread, NULL, spin_thread, arg))
		return 1;
	return frz_spin(arg);
}

/*
 * U12. A signal that ends a process does so while it is frozen, with all threads,
 * and "frozen" is 1 all the time, without an event; the others stand. One that
 * dumps core waits for the thaw.
 */
V2_TEST(death)
{
	static const int sigs[] = { SIGKILL, SIGTERM, SIGHUP, SIGUSR1 };
	unsigned long *word = ASSERT_WORDS(2);
	int fd, status;
	size_t i;
	pid_t pid;

	ASSERT_SPINNER(self->cg, &word[0]);
	for (i = 0; i < ARRAY_SIZE(sigs); i++) {
		pid = ASSERT_PID(frz_spawn(self->cg, spin_in_two, &word[1]));
		ASSERT_EQ(0, frz_wait_move(&word[1], FRZ_LIMIT));
		ASSERT_EQ(0, frz_freeze(self->cg));
		fd = ASSERT_ARMED(self->cg);
		ASSERT_EQ(0, kill(pid, sigs[i]));
		EXPECT_EQ(sigs[i], frz_wait_exit(pid, FRZ_LIMIT)) {
			TH_LOG("signal %d", sigs[i]);
		}
		EXPECT_FROZEN(1, self->cg);
		EXPECT_NO_EVENT(fd);
		EXPECT_STANDS(&word[0]);
		close(fd);
		ASSERT_REQUEST(self->cg, 0);
	}
	pid = ASSERT_PID(frz_spawn(self->cg, spin_in_two, &word[1]));
	ASSERT_EQ(0, frz_wait_move(&word[1], FRZ_LIMIT));
	ASSERT_EQ(0, frz_freeze(self->cg));
	ASSERT_EQ(0, kill(pid, SIGQUIT));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, 10 * FRZ_WATCH));
	EXPECT_FROZEN(1, self->cg);
	ASSERT_REQUEST(self->cg, 0);
	status = frz_wait_exit(pid, FRZ_LIMIT);
	ASSERT_LE(0, status);
	EXPECT_EQ(SIGQUIT, WTERMSIG(status));
}

/*
 * U12. cgroup.kill ends all of a frozen cgroup and of those below, and what is left
 * is frozen.
 */
V2_TEST(cgroup_kill)
{
	unsigned long *word = ASSERT_WORDS(2);
	char sub[FRZ_PATH_MAX];
	pid_t pid[3];
	int i, err;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	pid[0] = ASSERT_SPINNER(self->cg, &word[0]);
	pid[1] = ASSERT_SLEEPER(sub, &word[1]);
	pid[2] = ASSERT_PID(frz_spawn(sub, spin_in_two, &word[0]));
	ASSERT_EQ(0, frz_freeze(self->cg));
	err = frz_write(self->cg, "cgroup.kill", "1");
	if (err == -ENOENT)
		SKIP(return, "the kernel has no cgroup.kill");
	ASSERT_EQ(0, err);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(SIGKILL, frz_wait_exit(pid[i], FRZ_LIMIT));
	EXPECT_FROZEN(1, self->cg);
	EXPECT_FROZEN(1, sub);
}

/*
 * U12. A task that had stopped for its tracer before the freeze, and has been detached
 * in the freeze, dies of the first SIGKILL.
 */
V2_TEST(detached)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, pid, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, pid, 0, 0));
	ASSERT_LE(0, frz_wait_stop(pid, __WALL, FRZ_LIMIT));
	ASSERT_EQ(0, frz_freeze(self->cg));
	ASSERT_EQ(0, ptrace(PTRACE_DETACH, pid, 0, 0));
	EXPECT_STANDS(word);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_FROZEN(1, self->cg);
}

/* Large enough for those of each architecture. */
static int read_registers(pid_t pid)
{
	unsigned long regs[256];
	struct iovec iov = { .iov_base = regs, .iov_len = sizeof(regs) };

	return ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &iov) ? -errno :
	       iov.iov_len ? 0 : -EIO;
}

/*
 * U13. A debugger comes to a task that spins and to one that sleeps, both frozen:
 * SEIZE and INTERRUPT, or ATTACH; then registers, CONT, INTERRUPT, DETACH. "frozen"
 * is 1 after each of them, there is no event, and nothing runs.
 */
V2_TEST(ptrace)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid[2];
	int fd, i, k;

	pid[0] = ASSERT_SPINNER(self->cg, &word[0]);
	pid[1] = ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_EQ(0, frz_freeze(self->cg));
	fd = ASSERT_ARMED(self->cg);
	for (i = 0; i < 4; i++) {
		pid_t p = pid[i % 2];

		if (i < 2) {
			ASSERT_EQ(0, ptrace(PTRACE_SEIZE, p, 0, 0));
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, p, 0, 0));
		} else {
			ASSERT_EQ(0, ptrace(PTRACE_ATTACH, p, 0, 0));
		}
		for (k = 0; k < 2; k++) {
			ASSERT_LE(0, frz_wait_stop(p, 0, FRZ_LIMIT)) {
				TH_LOG("no stop, task %d, round %d", i, k);
			}
			ASSERT_FROZEN(1, self->cg);
			ASSERT_EQ(0, read_registers(p));
			ASSERT_FROZEN(1, self->cg);
			/* An attached one has no INTERRUPT. */
			if (k || i >= 2)
				break;
			ASSERT_EQ(0, ptrace(PTRACE_CONT, p, 0, 0));
			ASSERT_FROZEN(1, self->cg);
			ASSERT_EQ(0, frz_moved(&word[0], 5));
			ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, p, 0, 0));
		}
		ASSERT_EQ(0, ptrace(PTRACE_DETACH, p, 0, 0));
		ASSERT_FROZEN(1, self->cg);
		EXPECT_STANDS(&word[0]);
		EXPECT_EQ(1, frz_load(&word[1]));
	}
	EXPECT_NO_EVENT(fd);
	EXPECT_FROZEN(1, self->cg);
	close(fd);
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_RUNS(&word[0]);
}

/*
 * U14. A task that was stopped before is stopped after, and nobody is told. SIGCONT
 * and SIGSTOP while it is frozen take effect at the thaw. "frozen" is 1 throughout.
 */
V2_TEST(job_control)
{
	unsigned long *word = ASSERT_WORDS(1);
	int i, fd;
	pid_t pid;

	pid = ASSERT_SPINNER(self->cg, word);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	ASSERT_LE(0, frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, frz_freeze(self->cg));
		ASSERT_EQ('T', frz_task_state(pid));
		ASSERT_REQUEST(self->cg, 0);
		ASSERT_EQ(-ETIMEDOUT,
			  frz_wait_stop(pid, WUNTRACED | WCONTINUED, 3));
		ASSERT_EQ(0, frz_moved(word, 1));
		ASSERT_EQ('T', frz_task_state(pid));
	}
	ASSERT_EQ(0, frz_freeze(self->cg));
	fd = ASSERT_ARMED(self->cg);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_NO_EVENT(fd);
	EXPECT_FROZEN(1, self->cg);
	EXPECT_STANDS(word);
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_RUNS(word);
	ASSERT_LE(0, frz_wait_stop(pid, WCONTINUED, FRZ_LIMIT));

	ASSERT_EQ(0, frz_freeze(self->cg));
	close(fd);
	fd = ASSERT_ARMED(self->cg);
	ASSERT_EQ(0, kill(pid, SIGSTOP));
	EXPECT_NO_EVENT(fd);
	EXPECT_FROZEN(1, self->cg);
	EXPECT_EQ(-ETIMEDOUT, frz_wait_stop(pid, WUNTRACED, 3));
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_LE(0, frz_wait_stop(pid, WUNTRACED, FRZ_LIMIT));
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_RUNS(word);
	close(fd);
}

#define NR_THREADS	3

struct threads {
	unsigned long word[NR_THREADS];
	unsigned long tid[NR_THREADS];
};

static struct threads *threads;

static void *thread_fn(void *arg)
{
	long i = (long)arg;

	frz_store(&threads->tid[i], syscall(SYS_gettid));
	frz_spin(&threads->word[i]);
	return NULL;
}

static int run_threads(void *arg)
{
	pthread_t thread;
	long i;

	threads = arg;
	for (i = 1; i < NR_THREADS; i++)
		if (pthread_create(&thread, NULL, thread_fn, (void *)i))
			return 1;
	thread_fn(NULL);
	return 0;
}

/*
 * U16. In threaded cgroups each thread goes by its own cgroup.
 *
 *	cg		domain threaded, a process with three threads
 *	 |- a		threaded, one of them
 *	 `- b		threaded, another
 */
V2_TEST(threaded)
{
	struct threads *t = frz_shared(sizeof(*t));
	char path[3][FRZ_PATH_MAX];
	int i, k;

	ASSERT_NE(NULL, t);
	memcpy(path[0], self->cg, FRZ_PATH_MAX);
	frz_threads_apart();
	ASSERT_EQ(0, frz_create(path[1], self->cg, "a"));
	ASSERT_EQ(0, frz_create(path[2], self->cg, "b"));
	EXPECT_FILE(self->cg, "cgroup.type", "domain threaded");
	ASSERT_PID(frz_spawn(self->cg, run_threads, t));
	for (i = 0; i < NR_THREADS; i++)
		ASSERT_EQ(0, frz_wait_move(&t->word[i], FRZ_LIMIT));
	for (i = 1; i < NR_THREADS; i++)
		ASSERT_EQ(0, frz_move_thread(path[i], t->tid[i]));

	for (k = 0; k < 10; k++) {
		for (i = 1; i < NR_THREADS; i++) {
			ASSERT_EQ(0, frz_freeze(path[i]));
			ASSERT_FROZEN(0, self->cg);
			ASSERT_FROZEN(0, path[3 - i]);
			ASSERT_EQ(0, frz_moved(&t->word[i], 5));
			ASSERT_EQ(0, frz_wait_move(&t->word[0], FRZ_LIMIT));
			ASSERT_EQ(0, frz_wait_move(&t->word[3 - i], FRZ_LIMIT));
			ASSERT_REQUEST(path[i], 0);
		}
		ASSERT_EQ(0, frz_freeze(self->cg));
		for (i = 0; i < NR_THREADS; i++) {
			ASSERT_FROZEN(1, path[i]);
			ASSERT_EQ(0, frz_moved(&t->word[i], 2));
		}
		ASSERT_REQUEST(self->cg, 0);
		for (i = 0; i < NR_THREADS; i++)
			ASSERT_EQ(0, frz_wait_move(&t->word[i], FRZ_LIMIT));
	}
	/* into one that is frozen, and out again */
	ASSERT_EQ(0, frz_freeze(path[1]));
	ASSERT_EQ(0, frz_move_thread(path[1], t->tid[2]));
	ASSERT_EQ(0, frz2_wait_frozen(path[1], FRZ_FREEZE));
	EXPECT_STANDS(&t->word[2]);
	EXPECT_RUNS(&t->word[0]);
	ASSERT_EQ(0, frz_move_thread(path[2], t->tid[2]));
	EXPECT_RUNS(&t->word[2]);
	EXPECT_FROZEN(1, path[1]);
}

struct canceller {
	struct ring ring;
	char fifo[64];
	unsigned long ready;
	unsigned long go;
};

/* A worker opens a FIFO that has no writer; then an exec, which cancels that. */
static int exec_with_ring(void *arg)
{
	struct canceller *c = arg;
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT,
		.flags = IOSQE_ASYNC,
		.fd = AT_FDCWD,
		.addr = (unsigned long)c->fifo,
		.open_flags = O_RDONLY,
	};

	if (make_ring(&c->ring, 0))
		return 1;
	queue_sqe(&c->ring, &sqe);
	if (enter(&c->ring, 1, 0, 0) != 1)
		return 2;
	frz_inc(&c->ready);
	if (frz_wait_word(&c->go, 1, 3 * FRZ_LIMIT))
		return 3;
	execl("/bin/sleep", "sleep", "1000", NULL);
	return 4;
}

/* The first thread of @pid that io_uring has made, or 0. */
static pid_t find_io_worker(pid_t pid)
{
	char path[64], name[32];
	struct dirent *ent;
	pid_t found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && !found && (ent = readdir(dir))) {
		snprintf(path, sizeof(path), "/proc/%d/task/%d", pid,
			 atoi(ent->d_name));
		if (atoi(ent->d_name) > 0 &&
		    !frz_read(path, "comm", name, sizeof(name)) &&
		    !strncmp(name, "iou-wrk", 7))
			found = atoi(ent->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

/*
 * U15. A process cancels what a thread of io_uring does in another cgroup, which is
 * frozen: it looks again and again whether the thread has let go. It does not keep
 * its own cgroup from "frozen 1".
 *
 *	cg		domain threaded
 *	 |- a		threaded, the thread of io_uring, FROZEN first
 *	 `- b		threaded, the process, in exec
 */
V2_TEST(cancels_in_exec)
{
	struct canceller *c = frz_shared(sizeof(*c));
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	pid_t pid, worker = 0;

	ASSERT_NE(NULL, c);
	snprintf(c->fifo, sizeof(c->fifo), "/tmp/v2_task_test.%d", getpid());
	ASSERT_EQ(0, mkfifo(c->fifo, 0600));
	frz_threads_apart();
	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, self->cg, "b"));
	pid = ASSERT_PID(frz_spawn(self->cg, exec_with_ring, c));
	ASSERT_EQ(0, frz_wait_word(&c->ready, 1, FRZ_LIMIT));
	ASSERT_TRUE(frz_until((worker = find_io_worker(pid)), FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(worker, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_thread(a, worker));
	ASSERT_EQ(0, frz_move_thread(b, pid));
	ASSERT_EQ(0, frz_freeze(a));
	frz_store(&c->go, 1);
	frz_sleep_ms(10 * FRZ_WATCH);

	ASSERT_REQUEST(self->cg, 1);
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, FRZ_FREEZE));
	ASSERT_REQUEST(self->cg, 0);
	ASSERT_REQUEST(a, 0);
	EXPECT_TRUE(frz_until(!find_io_worker(pid), FRZ_LIMIT));
	unlink(c->fifo);
}

struct sq_read {
	struct ring ring;
	unsigned long ready;
};

/* A read that the submission thread has made, and a worker waits for. */
static int read_fuse_by_ring(void *arg)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.flags = IOSQE_ASYNC,
		.len = 16,
	};
	struct sq_read *s = arg;
	static char buf[16];

	sqe.fd = open_fuse_file();
	sqe.addr = (unsigned long)buf;
	if (sqe.fd < 0 || make_ring(&s->ring, IORING_SETUP_SQPOLL))
		return 1;
	queue_sqe(&s->ring, &sqe);
	if (enter(&s->ring, 1, 0, IORING_ENTER_SQ_WAKEUP) != 1)
		return 2;
	frz_inc(&s->ready);
	return frz_sleep(NULL);
}

/*
 * U15. A submission thread that was killed looks again and again whether its worker has
 * let go of a request, which a file server does not answer. That keeps the cgroup from
 * "frozen 1" for a while only.
 */
V2_TEST(cancels_when_killed)
{
	struct sq_read *s = frz_shared(sizeof(*s));
	struct request req;
	int fuse;
	pid_t pid;

	ASSERT_NE(NULL, s);
	fuse = mount_fuse_file();
	ASSERT_LE(0, fuse);
	pid = ASSERT_PID(frz_spawn(self->cg, read_fuse_by_ring, s));
	ASSERT_EQ(0, serve_file_until(fuse, FUSE_READ, &req));
	ASSERT_EQ(0, frz_wait_word(&s->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	frz_sleep_ms(2 * FRZ_WATCH);

	ASSERT_REQUEST(self->cg, 1);
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, FRZ_FREEZE));
	ASSERT_REQUEST(self->cg, 0);
	unmount_fuse_file(fuse);
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
}

/* Move a kernel thread that is bound to no CPU into @path: its pid, or 0. */
static pid_t capture_kthread(const char *path)
{
	DIR *proc = opendir("/proc");
	struct dirent *ent;
	pid_t found = 0;

	while (proc && !found && (ent = readdir(proc))) {
		pid_t pid = atoi(ent->d_name);

		if (pid <= 2 || frz_proc_status(pid, "PPid") != 2 ||
		    frz_task_state(pid) != 'S')
			continue;
		if (!frz_move_process(path, pid))
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

#define KSM	"/sys/kernel/mm/ksm"

/* How often the thread that merges pages has been through all of them, or -1. */
static long ksm_scans(void)
{
	char text[32];

	return frz_read(KSM, "full_scans", text, sizeof(text)) ? -1 : atol(text);
}

/* A page to work on, for the kernel thread ksmd: its pid, or -errno. */
static pid_t start_ksmd(void)
{
	struct dirent *ent;
	pid_t found = -ESRCH;
	char path[32], name[32];
	DIR *proc;
	int err;
	char *p;

	p = mmap(NULL, 2 * 4096, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED || madvise(p, 2 * 4096, MADV_MERGEABLE))
		return -errno;
	memset(p, 1, 2 * 4096);
	err = frz_write(KSM, "sleep_millisecs", "1") ?: frz_write(KSM, "run", "1");
	if (err)
		return err;
	proc = opendir("/proc");
	while (proc && found < 0 && (ent = readdir(proc))) {
		snprintf(path, sizeof(path), "/proc/%d", atoi(ent->d_name));
		if (atoi(ent->d_name) > 2 &&
		    !frz_read(path, "comm", name, sizeof(name)) &&
		    !strcmp(name, "ksmd"))
			found = atoi(ent->d_name);
	}
	if (proc)
		closedir(proc);
	return found;
}

/*
 * U17. A kernel thread that works goes on to do so in a frozen cgroup, where "frozen"
 * is 1. ksmd is one that may be moved, and tells how much it has done.
 */
V2_TEST(kernel_thread_works)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t ksmd = start_ksmd();
	long scans;

	ASSERT_LT(0, ksmd) {
		TH_LOG("no ksmd: %s", strerror(-ksmd));
	}
	ASSERT_TRUE(frz_until(ksm_scans() > 0, FRZ_LIMIT));
	ASSERT_SLEEPER(self->cg, word);
	ASSERT_EQ(0, frz_move_process(self->cg, ksmd));
	EXPECT_EQ(0, frz_freeze(self->cg));
	EXPECT_FROZEN(1, self->cg);
	scans = ksm_scans();
	EXPECT_TRUE(frz_until(ksm_scans() > scans + 3, FRZ_LIMIT)) {
		TH_LOG("%ld scans, then %ld, state %c", scans, ksm_scans(),
		       frz_task_state(ksmd));
	}
	EXPECT_FROZEN(1, self->cg);
	EXPECT_EQ(0, frz2_request(self->cg, 0));
	EXPECT_EQ(0, frz_move_process(frz2_root(), ksmd));
	EXPECT_EQ(0, frz_write(KSM, "run", "0"));
	EXPECT_EQ(0, frz_write(KSM, "sleep_millisecs", "20"));
}

/*
 * U17. A kernel thread in the cgroup runs on and does not count. (khungtaskd,
 * kswapd0 and the like may be moved; one that is bound to a CPU is EINVAL.) With
 * mainline "frozen" never gets 1.
 */
V2_TEST(kernel_thread)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t kthread;
	int err;

	ASSERT_SLEEPER(self->cg, word);
	kthread = capture_kthread(self->cg);
	if (!kthread)
		SKIP(return, "no kernel thread can be moved");
	err = frz_freeze(self->cg);
	EXPECT_EQ(0, err) {
		TH_LOG("kernel thread %d: %s", kthread,
		       frz_content("/proc/self", "cgroup"));
	}
	EXPECT_FROZEN(!err, self->cg);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ('S', frz_task_state(kthread));
	EXPECT_EQ(0, frz2_request(self->cg, 0));
	EXPECT_EQ(0, frz_move_process(frz2_root(), kthread));
}

static double load_now(void)
{
	char buf[128];

	return frz_read("/proc", "loadavg", buf, sizeof(buf)) ? -1 : atof(buf);
}

#define NR_SLEEPERS	60
#define NR_SPINNERS	4

/*
 * U24. The letter in /proc/PID/stat is the one that the task had: S for one that
 * sleeps or is parked, T stopped, t for a tracer. None of sixty-four frozen tasks
 * counts for the load: that would be five more for each five seconds.
 */
V2_TEST(letters)
{
	unsigned long *word = ASSERT_WORDS(4);
	pid_t sleeper, parked, stopped, traced;
	double before, after;
	int i;

	sleeper = ASSERT_SLEEPER(self->cg, &word[0]);
	parked = ASSERT_SPINNER(self->cg, &word[1]);
	stopped = ASSERT_SPINNER(self->cg, &word[2]);
	traced = ASSERT_SPINNER(self->cg, &word[3]);
	ASSERT_EQ(0, kill(stopped, SIGSTOP));
	ASSERT_LE(0, frz_wait_stop(stopped, WUNTRACED, FRZ_LIMIT));
	ASSERT_EQ(0, ptrace(PTRACE_SEIZE, traced, 0, 0));
	ASSERT_EQ(0, ptrace(PTRACE_INTERRUPT, traced, 0, 0));
	ASSERT_LE(0, frz_wait_stop(traced, 0, FRZ_LIMIT));
	for (i = 0; i < NR_SLEEPERS; i++)
		ASSERT_PID(frz_spawn(self->cg, frz_sleep, NULL));
	for (i = 1; i < NR_SPINNERS; i++)
		ASSERT_PID(frz_spawn(self->cg, frz_spin, &word[1]));
	ASSERT_EQ(0, frz_freeze(self->cg));
	EXPECT_EQ('S', frz_task_state(sleeper));
	EXPECT_EQ('S', frz_task_state(parked));
	EXPECT_EQ('T', frz_task_state(stopped));
	EXPECT_EQ('t', frz_task_state(traced));

	before = load_now();
	ASSERT_LE(0, before);
	frz_sleep_ms(11000);
	after = load_now();
	EXPECT_GT(before + 2.5, after) {
		TH_LOG("load %.2f, after eleven seconds frozen %.2f", before,
		       after);
	}
	EXPECT_FROZEN(1, self->cg);
}

/*
 * U3: what "frozen 1" says about a task that sleeps in the kernel where neither the
 * freezer nor a signal ends it
 */

struct blocked {
	unsigned long step;
	unsigned long done;
	unsigned long listener;
	int fuse;
};

/* Of a file system that is frozen meanwhile. */
static int write_to_fs(void *arg)
{
	struct blocked *b = arg;
	char name[64];
	int fd;

	snprintf(name, sizeof(name), "%s/file", ext2_dir);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return 1;
	for (;;) {
		if (pwrite(fd, "x", 1, 0) != 1)
			return 2;
		frz_inc(&b->step);
	}
}

/* Of a file server that never answers. */
static int read_fuse(void *arg)
{
	struct blocked *b = arg;
	int fd = open_fuse_file();
	char byte;

	if (fd < 0)
		return 1;
	frz_inc(&b->step);
	if (read(fd, &byte, 1) == 1)
		frz_inc(&b->done);
	return frz_sleep(NULL);
}

static int kill_for_ever(void *arg)
{
	for (;;)
		kill(*(pid_t *)arg, SIGKILL);
	return 0;
}

/*
 * U15. A task was killed, and waits for a file server that does not answer. Somebody kills
 * it again and again: that is no reason to wait for it anew.
 */
V2_TEST(killed_over_and_over)
{
	struct blocked *b = frz_shared(sizeof(*b));
	pid_t pid, killer;
	struct request req;
	int fuse;

	ASSERT_NE(NULL, b);
	fuse = mount_fuse_file();
	ASSERT_LE(0, fuse);
	pid = ASSERT_PID(frz_spawn(self->cg, read_fuse, b));
	ASSERT_EQ(0, serve_file_until(fuse, FUSE_READ, &req));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	killer = ASSERT_PID(frz_spawn(NULL, kill_for_ever, &pid));
	frz_sleep_ms(FRZ_WATCH);

	ASSERT_REQUEST(self->cg, 1);
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, FRZ_FREEZE));
	kill(killer, SIGKILL);
	frz_wait_exit(killer, FRZ_LIMIT);
	ASSERT_REQUEST(self->cg, 0);
	unmount_fuse_file(fuse);
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
}

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV	0x20UL
#endif
#ifndef SYS_pidfd_open
#define SYS_pidfd_open	434
#endif
#ifndef SYS_pidfd_getfd
#define SYS_pidfd_getfd	438
#endif

/* Of a supervisor that has taken the notice and does not answer. */
static int ask_supervisor(void *arg)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_getppid, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { ARRAY_SIZE(filter), filter };
	struct blocked *b = arg;
	long fd;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return 1;
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     SECCOMP_FILTER_FLAG_NEW_LISTENER |
		     SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
	if (fd < 0)
		return 2;
	frz_store(&b->listener, fd + 1);
	frz_inc(&b->step);
	syscall(SYS_getppid);
	frz_inc(&b->done);
	return frz_sleep(NULL);
}

/* Of a child in vfork(), which can be frozen in place. */
static int wait_for_vfork(void *arg)
{
	struct blocked *b = arg;

	frz_inc(&b->step);
	if (!vfork()) {
		for (;;)
			pause();
	}
	frz_inc(&b->done);
	return 0;
}

FIXTURE(blocked) {
	char cg[FRZ_PATH_MAX];
	int fs;
	int fuse;
	int listener;
};

FIXTURE_VARIANT(blocked) {
	int (*fn)(void *arg);
	bool at_once;
};

FIXTURE_VARIANT_ADD(blocked, frozen_fs) { .fn = write_to_fs };
FIXTURE_VARIANT_ADD(blocked, fuse) { .fn = read_fuse };
FIXTURE_VARIANT_ADD(blocked, seccomp) { .fn = ask_supervisor };
FIXTURE_VARIANT_ADD(blocked, vfork) { .fn = wait_for_vfork, .at_once = true };

FIXTURE_SETUP(blocked)
{
	self->fs = -1;
	self->fuse = -1;
	self->listener = -1;
	V2_GROUP_MAKE(self->cg);
	if (variant->fn == write_to_fs) {
		self->fs = ext2_mount();
		if (self->fs < 0)
			SKIP(return, "no file system: %s", strerror(-self->fs));
	}
	if (variant->fn == read_fuse) {
		self->fuse = mount_fuse_file();
		if (self->fuse < 0)
			SKIP(return, "no FUSE: %s", strerror(-self->fuse));
	}
}

/* Whoever is stuck gets free first. */
FIXTURE_TEARDOWN(blocked)
{
	if (self->fs >= 0)
		ioctl(self->fs, FITHAW, 0);
	if (self->fuse >= 0)
		unmount_fuse_file(self->fuse);
	if (self->listener >= 0)
		close(self->listener);
	FRZ_GROUP_END(self->cg);
	if (variant->fn == write_to_fs)
		ext2_umount(self->fs);
}

/* Take the notice, and not answer. */
static int take_notice(pid_t pid, const struct blocked *b)
{
	struct seccomp_notif notice = {};
	int pidfd, fd;

	pidfd = syscall(SYS_pidfd_open, pid, 0);
	fd = syscall(SYS_pidfd_getfd, pidfd, (int)b->listener - 1, 0);
	close(pidfd);
	if (fd < 0)
		return -errno;
	return ioctl(fd, SECCOMP_IOCTL_NOTIF_RECV, &notice) ? -errno : fd;
}

/* The milliseconds that all CPUs together have lost since it was @before. */
static int lost_ms(int64_t before)
{
	return (frz_lost_ns() - before) / 1000000;
}

/*
 * U3. One task is in a sleep that nothing ends: "frozen 1" comes within the
 * patience, and where the sleep can be frozen in place it does not cost that. The
 * task does not come out of its call before the thaw, also if what it waits for
 * comes. In mainline "frozen" never gets 1, but for vfork.
 */
TEST_F_TIMEOUT(blocked, does_not_hold_up, 90)
{
	struct blocked *b = frz_shared(sizeof(*b));
	int64_t slept, begin, took, before;
	unsigned long step;
	struct request req;
	int err = 0, lost;
	bool at_once;
	pid_t pid;

	ASSERT_NE(NULL, b);
	ASSERT_EQ(0, frz_lost_start());
	pid = ASSERT_PID(frz_spawn(self->cg, variant->fn, b));
	if (self->fuse >= 0)
		ASSERT_EQ(0, serve_file_until(self->fuse, FUSE_READ, &req));
	ASSERT_EQ(0, frz_wait_word(&b->step, 1, FRZ_LIMIT)) {
		TH_LOG("it did not begin: exit status %x",
		       frz_wait_exit(pid, 0));
	}
	slept = frz_now_ns();
	if (self->fs >= 0)
		ASSERT_EQ(0, ioctl(self->fs, FIFREEZE, 0));
	if (b->listener) {
		self->listener = take_notice(pid, b);
		ASSERT_LE(0, self->listener);
	}
	do {
		step = frz_load(&b->step);
		ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	} while (frz_moved(&b->step, FRZ_WATCH));

	/* An interruptible sleep is at rest as it is. */
	at_once = variant->at_once || frz_task_state(pid) == 'S';
	before = frz_lost_ns();
	begin = frz_now_ns();
	ASSERT_REQUEST(self->cg, 1);
	err = frz2_wait_frozen(self->cg, FRZ_FREEZE);
	took = ms_since(begin);
	lost = lost_ms(before);
	TH_LOG("frozen after %d ms, of which the machine lost %d, state %c",
	       (int)took, lost, frz_task_state(pid));
	EXPECT_EQ(0, err);
	if (at_once) {
		EXPECT_GT(SLACK_MS + lost, took);
	} else {
		EXPECT_GE(frz2_patience_ms() + SLACK_MS + lost, took);
		EXPECT_LE(frz2_patience_ms(), ms_since(slept));
	}
	/* What it waits for comes; it stays where it is. */
	if (self->fs >= 0)
		EXPECT_EQ(0, ioctl(self->fs, FITHAW, 0));
	if (self->fuse >= 0)
		EXPECT_EQ(0, serve_file(self->fuse, &req));
	frz_sleep_ms(2 * FRZ_WATCH);
	EXPECT_FROZEN(1, self->cg);
	EXPECT_EQ(step, frz_load(&b->step));
	EXPECT_EQ(0, frz_load(&b->done));
	ASSERT_REQUEST(self->cg, 0);
	if (self->fs >= 0)
		EXPECT_RUNS(&b->step);
	if (self->fuse >= 0)
		EXPECT_EQ(0, frz_wait_word(&b->done, 1, FRZ_LIMIT));
}

/*
 * U3: a device whose blocks are a file in memory
 */
#define DEVICE_SIZE	(64 << 20)
#define LOOK_SIZE	4096

static const char loop_file[] = "/tmp/freezer_selftest.loopfile";
static const char loop_node[] = "/tmp/freezer_selftest.loop";

FIXTURE(patience) {
	char cg[FRZ_PATH_MAX];
	char before[16];
	int fs;
};

FIXTURE_SETUP(patience)
{
	V2_GROUP_MAKE(self->cg);
	ASSERT_EQ(0, frz_read(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, self->before,
			      sizeof(self->before)));
	self->fs = ext2_mount();
	if (self->fs < 0)
		SKIP(return, "no file system: %s", strerror(-self->fs));
}

FIXTURE_TEARDOWN(patience)
{
	frz_write(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, self->before);
	if (self->fs >= 0)
		ioctl(self->fs, FITHAW, 0);
	FRZ_GROUP_END(self->cg);
	ext2_umount(self->fs);
}

#define ASSERT_PATIENCE(text) \
	ASSERT_EQ(0, frz_write(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, text))

/*
 * U3. With a patience of -1 a task that is blocked keeps "frozen" at 0 for as long as
 * it is; with 0, also if that is written in the middle of a freeze, it does not count.
 */
TEST_F_TIMEOUT(patience, for_ever_and_none, 90)
{
	struct blocked *b = frz_shared(sizeof(*b));
	int64_t begin, before;
	int took, lost;
	pid_t pid;

	ASSERT_NE(NULL, b);
	ASSERT_EQ(0, frz_lost_start());
	pid = ASSERT_PID(frz_spawn(self->cg, write_to_fs, b));
	ASSERT_EQ(0, frz_wait_word(&b->step, 1, FRZ_LIMIT));
	ASSERT_EQ(0, ioctl(self->fs, FIFREEZE, 0));
	ASSERT_TRUE(frz_until_busy(!frz_wait_asleep(pid, FRZ_LIMIT) &&
				   !frz_moved(&b->step, FRZ_WATCH), FRZ_LIMIT));

	ASSERT_PATIENCE("-1");
	ASSERT_REQUEST(self->cg, 1);
	EXPECT_EQ(-EBUSY, frz2_wait_frozen(self->cg, 3 * FRZ2_PATIENCE_MS));
	EXPECT_FROZEN(0, self->cg);
	ASSERT_PATIENCE("0");
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, FRZ_FREEZE));
	ASSERT_REQUEST(self->cg, 0);

	before = frz_lost_ns();
	begin = frz_now_ns();
	ASSERT_REQUEST(self->cg, 1);
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, FRZ_FREEZE));
	took = ms_since(begin);
	lost = lost_ms(before);
	EXPECT_GT(SLACK_MS + lost, took) {
		TH_LOG("frozen after %d ms, of which the machine lost %d", took, lost);
	}
	ASSERT_REQUEST(self->cg, 0);
}

/*
 * A write of a whole device may sleep once for all of its requests. An emulated machine that
 * has to share its host may need more than the usual patience for these.
 */
#define LOOP_PATIENCE	"10000"

FIXTURE(loop) {
	char cg[FRZ_PATH_MAX];
	char patience[16];
	int file;
	int dev;
};

/* A free loop device: its number, or -errno. */
static int free_loop(void)
{
	int nr, fd;

	unlink(loop_node);
	if (mknod(loop_node, S_IFCHR | 0600, makedev(10, 237)))
		return -errno;
	fd = open(loop_node, O_RDWR | O_CLOEXEC);
	nr = fd < 0 ? -errno : ioctl(fd, LOOP_CTL_GET_FREE);
	if (nr < 0)
		nr = -errno;
	close(fd);
	unlink(loop_node);
	return nr;
}

FIXTURE_SETUP(loop)
{
	int nr = free_loop();

	self->file = -1;
	self->dev = -1;
	/* In a user namespace it is left as it is. */
	if (frz_read(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, self->patience,
		     sizeof(self->patience)) ||
	    frz_write(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, LOOP_PATIENCE))
		self->patience[0] = 0;
	V2_GROUP_MAKE(self->cg);
	if (nr < 0)
		SKIP(return, "no loop device: %s", strerror(-nr));
	unlink(loop_file);
	self->file = open(loop_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	ASSERT_LE(0, self->file);
	ASSERT_EQ(0, ftruncate(self->file, DEVICE_SIZE));
	ASSERT_EQ(0, mknod(loop_node, S_IFBLK | 0600, makedev(7, nr)));
	self->dev = open(loop_node, O_RDWR | O_CLOEXEC | O_DIRECT);
	ASSERT_LE(0, self->dev);
	ASSERT_EQ(0, ioctl(self->dev, LOOP_SET_FD, self->file));
}

FIXTURE_TEARDOWN(loop)
{
	FRZ_GROUP_END(self->cg);
	if (self->patience[0])
		frz_write(FRZ2_PATIENCE_DIR, FRZ2_PATIENCE_FILE, self->patience);
	if (self->dev >= 0) {
		ioctl(self->dev, LOOP_CLR_FD, 0);
		close(self->dev);
	}
	if (self->file >= 0)
		close(self->file);
	unlink(loop_node);
	unlink(loop_file);
}

struct big_write {
	int dev;
	unsigned long rounds;
};

/* One write(2) of the whole device after the other, each of another byte. */
static int write_device(void *arg)
{
	struct big_write *w = arg;
	unsigned char *buf;
	int i;

	buf = mmap(NULL, DEVICE_SIZE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (buf == MAP_FAILED)
		return 1;
	for (i = 1;; i++) {
		memset(buf, i, DEVICE_SIZE);
		frz_inc(&w->rounds);
		if (pwrite(w->dev, buf, DEVICE_SIZE, 0) != DEVICE_SIZE)
			return 2;
	}
}

/* One byte of each LOOK_SIZE of the file: a sum that any change changes. */
static uint64_t look_at_file(int fd)
{
	uint64_t sum = 0;
	unsigned char byte;
	off_t at;

	for (at = 0; at < DEVICE_SIZE; at += LOOK_SIZE)
		if (pread(fd, &byte, 1, at) == 1)
			sum = sum * 31 + byte;
	return sum;
}

/*
 * U3. A task writes 64 MB to a device, in one call that sleeps where it cannot be
 * frozen. Whenever the cgroup is frozen, in the middle of a call as a rule, the
 * blocks of the device stand from "frozen 1" on. (A v1 freeze lets the call go on.)
 */
TEST_F_TIMEOUT(loop, writes_stand, 90)
{
	struct big_write *w = frz_shared(sizeof(*w));
	uint64_t first, second;
	int64_t begin;
	pid_t pid;
	int i;

	ASSERT_NE(NULL, w);
	w->dev = self->dev;
	pid = ASSERT_PID(frz_spawn(self->cg, write_device, w));
	for (i = 0; i < 10; i++) {
		ASSERT_EQ(0, frz_wait_move(&w->rounds, FRZ_LIMIT)) {
			TH_LOG("the writer is %c, exit status %x",
			       frz_task_state(pid), frz_wait_exit(pid, 0));
		}
		usleep(1000 * i);
		begin = frz_now_ns();
		ASSERT_REQUEST(self->cg, 1);
		ASSERT_EQ(0, frz2_wait_frozen(self->cg, FRZ_LIMIT));
		TH_LOG("round %d: frozen after %d ms", i, (int)ms_since(begin));
		first = look_at_file(self->file);
		frz_sleep_ms(100);
		second = look_at_file(self->file);
		EXPECT_EQ(first, second) {
			TH_LOG("round %d: blocks were written after frozen 1", i);
		}
		EXPECT_FROZEN(1, self->cg);
		ASSERT_REQUEST(self->cg, 0);
	}
}

TEST_HARNESS_MAIN
