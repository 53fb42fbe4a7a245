// SPDX-License-Identifier: GPL-2.0
/*
 * Kills of processes with threads that work in the kernel and never return to
 * user mode: the submission thread of io_uring, its workers, vhost's worker.
 * Such a thread takes its SIGKILL by itself and goes on to its end; if it came to
 * a door on that way it would wait for the thaw, and its process with it.
 *
 * Clauses: C9.
 */
#include <linux/vhost.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "memcg_util.h"
#include "uring_util.h"

#define MB		(1024UL * 1024)
#define LIMIT		(64 * MB)
#define HOG_SIZE	(40 * MB)

/* A submission thread that polls until the test is over. */
#define POLLS_MS	1000000
/* One that goes to sleep at once. */
#define SLEEPS_MS	1

/* A process with a ring; in shared memory. */
struct owner {
	unsigned int idle_ms;
	bool pending;		/* with requests that never end */
	bool hog;

	unsigned long ready;
	unsigned long tid;
	unsigned long go;
	unsigned long done;
	long failed;
};

static int fail(struct owner *o, int step)
{
	o->failed = errno;
	return step;
}

static char *take(unsigned long size)
{
	char *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p != MAP_FAILED)
		memset(p, 1, size);
	return p;
}

/* Reads from an empty pipe: by poll, and by a worker. None of them ends. */
static int queue_endless(struct ring *r)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_READ };
	static char buf[16];
	int fd[2], i;

	if (pipe(fd))
		return -1;
	for (i = 0; i < 4; i++) {
		sqe.flags = i % 2 ? IOSQE_ASYNC : 0;
		sqe.fd = fd[0];
		sqe.addr = (unsigned long)buf;
		sqe.len = sizeof(buf);
		queue_sqe(r, &sqe);
	}
	return 0;
}

static int all_taken(struct ring *r)
{
	return __atomic_load_n(sq_word(r, r->p.sq_off.head),
			       __ATOMIC_SEQ_CST) == *sq_word(r, r->p.sq_off.tail);
}

/* A ring with a submission thread, asleep or polling. */
static int begin_sqpoll(struct owner *o, struct ring *r)
{
	if (make_ring_idle(r, IORING_SETUP_SQPOLL, o->idle_ms))
		return fail(o, 10);
	if (o->pending && queue_endless(r))
		return fail(o, 11);
	while (o->pending && !all_taken(r)) {
		if (sq_thread_sleeps(r))
			enter(r, 0, 0, IORING_ENTER_SQ_WAKEUP);
		usleep(100);
	}
	while (o->idle_ms == SLEEPS_MS && !sq_thread_sleeps(r))
		usleep(100);
	return 0;
}

static int own_ring(void *arg)
{
	struct owner *o = arg;
	struct ring r;
	int err = begin_sqpoll(o, &r);

	if (err)
		return err;
	if (o->hog && take(HOG_SIZE) == MAP_FAILED)
		return fail(o, 12);
	frz_inc(&o->ready);
	return frz_sleep(NULL);
}

FIXTURE(sqpoll) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(sqpoll) {
	unsigned int idle_ms;
	bool pending;
};

FIXTURE_VARIANT_ADD(sqpoll, asleep) { .idle_ms = SLEEPS_MS };
FIXTURE_VARIANT_ADD(sqpoll, polling) { .idle_ms = POLLS_MS };

FIXTURE_VARIANT_ADD(sqpoll, asleep_pending) {
	.idle_ms = SLEEPS_MS,
	.pending = true,
};

FIXTURE_VARIANT_ADD(sqpoll, polling_pending) {
	.idle_ms = POLLS_MS,
	.pending = true,
};

FIXTURE_SETUP(sqpoll)
{
	const char *what;
	int err;

	FRZ_GROUP_MAKE(self->cg);
	err = memcg_setup(LIMIT, &what);
	ASSERT_EQ(0, err) {
		TH_LOG("%s: %s", what, strerror(-err));
	}
}

FIXTURE_TEARDOWN(sqpoll)
{
	FRZ_GROUP_END(self->cg);
	memcg_teardown();
}

/* The threads of @pid that are still there: where they are in the kernel. */
static const char *threads_of(pid_t pid)
{
	static char buf[1024];
	char dir[64], wchan[128];
	pid_t list[64];
	int i, nr, len = 0;

	snprintf(dir, sizeof(dir), "/proc/%d", pid);
	snprintf(buf, sizeof(buf), "leader %c", frz_task_state(pid));
	len = strlen(buf);
	nr = frz_proc_status(pid, "Threads");
	len += snprintf(buf + len, sizeof(buf) - len, ", %d threads", nr);
	for (i = 1; i < 16 && len < (int)sizeof(buf) - 200; i++) {
		list[0] = pid + i;
		snprintf(dir, sizeof(dir), "/proc/%d/task/%d", pid, list[0]);
		if (!frz_read(dir, "wchan", wchan, sizeof(wchan)))
			len += snprintf(buf + len, sizeof(buf) - len,
					", %d in %s", list[0], wchan);
	}
	return buf;
}

/* "" when @pid is reaped in time, or what of it is left. */
static const char *reaped(pid_t pid)
{
	static char buf[64];
	int status = frz_wait_exit(pid, FRZ_LIMIT);

	if (status == -ETIMEDOUT)
		return threads_of(pid);
	if (status >= 0 && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		return "";
	snprintf(buf, sizeof(buf), "pid %d: wait status %#x", pid, status);
	return buf;
}

#define EXPECT_REAPED(pid) EXPECT_STREQ("", reaped(pid))
#define ASSERT_REAPED(pid) ASSERT_STREQ("", reaped(pid))

/* A process with a ring in @cg, seen to have a thread more. */
static pid_t owner_begin(const char *cg, struct owner *o)
{
	pid_t pid = frz_spawn(cg, own_ring, o);
	int err = pid < 0 ? pid : frz_wait_word(&o->ready, 1, FRZ_LIMIT);

	if (!err && frz_proc_status(pid, "Threads") < 2)
		err = -ESRCH;
	return err ? err : pid;
}

/*
 *	cg	a process with a ring and its submission thread, asleep or polling,
 *		with requests that never end or without any; a spinner
 *
 * killable 1, FROZEN, SIGKILL. The process is reaped in time with all its threads,
 * though nobody thaws, the group is FROZEN and the spinner stands. A failure is a
 * process whose last thread waits at its door for the thaw, with nothing left that
 * says that it was killed.
 */
TEST_F_TIMEOUT(sqpoll, kill, 90)
{
	struct owner *o = frz_shared(sizeof(*o));
	unsigned long *word = ASSERT_WORDS(1);
	int round;
	pid_t pid;

	ASSERT_NE(NULL, o);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	ASSERT_SPINNER(self->cg, word);
	for (round = 0; round < 3; round++) {
		memset(o, 0, sizeof(*o));
		o->idle_ms = variant->idle_ms;
		o->pending = variant->pending;
		pid = ASSERT_PID(owner_begin(self->cg, o));
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_REAPED(pid);
		EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
		EXPECT_EQ(1, frz_stat(self->cg, "nr_tasks"));
		EXPECT_STANDS(word);
		ASSERT_THAWS(self->cg);
		EXPECT_RUNS(word);
	}
}

static int join_memcg(pid_t pid, const char *score)
{
	char text[64];
	int err;

	snprintf(text, sizeof(text), "%d", pid);
	err = frz_write(MEMCG_DIR, "cgroup.procs", text);
	snprintf(text, sizeof(text), "/proc/%d", pid);
	return err ? err : frz_write(text, "oom_score_adj", score);
}

static int own_ring_in_memcg(void *arg)
{
	return join_memcg(getpid(), "500") ? 20 : own_ring(arg);
}

/* Takes more than there is beside the victim. */
static int taker(void *arg)
{
	if (join_memcg(getpid(), "-1000"))
		return 1;
	return take(HOG_SIZE) == MAP_FAILED ? 2 : 0;
}

/*
 * The same, killed by the OOM killer, with killable 0: the process is gone with
 * all its threads, and who needs the memory gets it.
 */
TEST_F_TIMEOUT(sqpoll, oom, 90)
{
	struct owner *o = frz_shared(sizeof(*o));
	pid_t pid, out;

	ASSERT_NE(NULL, o);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "0"));
	o->idle_ms = variant->idle_ms;
	o->pending = variant->pending;
	o->hog = true;
	pid = ASSERT_PID(frz_spawn(self->cg, own_ring_in_memcg, o));
	ASSERT_EQ(0, frz_wait_word(&o->ready, 1, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	out = ASSERT_PID(frz_spawn(NULL, taker, NULL));
	EXPECT_EQ(0, frz_wait_exit(out, FRZ_LIMIT));
	EXPECT_REAPED(pid);
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
	EXPECT_EQ(0, frz_stat(self->cg, "nr_tasks"));
	ASSERT_THAWS(self->cg);
}

static struct owner *owner;

static void *exec_on_go(void *arg)
{
	owner = arg;
	frz_store(&owner->tid, syscall(SYS_gettid));
	while (!frz_load(&owner->go))
		usleep(1000);
	execl("/proc/self/exe", "worker_kill_test", "--exit", NULL);
	owner->failed = errno;
	return NULL;
}

static int ring_and_thread(void *arg)
{
	struct owner *o = arg;
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_on_go, arg))
		return fail(o, 21);
	while (!frz_load(&o->tid))
		usleep(1000);
	return own_ring(arg);
}

/*
 * The threads of one process are in two cgroups:
 *
 *	cg
 *	 |- frozen	the leader, which owns a ring, and its submission thread
 *	 `- thawed	a thread that executes a program
 *
 * The exec kills the two others and waits for them. They leave and die, so the
 * program starts, and ends, without a thaw. A failure is a process of a group that
 * is not frozen, and hangs in its exec.
 */
TEST_F_TIMEOUT(sqpoll, exec_of_a_sibling, 90)
{
	char frozen[FRZ_PATH_MAX], thawed[FRZ_PATH_MAX];
	struct owner *o = frz_shared(sizeof(*o));
	pid_t pid;

	ASSERT_NE(NULL, o);
	frz_threads_apart();
	ASSERT_EQ(0, frz_create(frozen, self->cg, "frozen"));
	ASSERT_EQ(0, frz_create(thawed, self->cg, "thawed"));
	ASSERT_EQ(0, frz_write(frozen, "freezer.killable", "0"));
	o->idle_ms = variant->idle_ms;
	o->pending = variant->pending;
	pid = ASSERT_PID(frz_spawn(frozen, ring_and_thread, o));
	ASSERT_EQ(0, frz_wait_word(&o->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_thread(thawed, o->tid));
	ASSERT_FREEZES(frozen);
	frz_store(&o->go, 1);
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT)) {
		TH_LOG("the exec waits: %s", threads_of(pid));
	}
	EXPECT_STREQ("", frz_becomes(frozen, "FROZEN", FRZ_AT_ONCE));
	EXPECT_STATE(thawed, "THAWED");
	EXPECT_EQ(0, frz_stat(frozen, "nr_tasks"));
}

/*
 * Kills at random times
 */

/* Writes to one file are hashed to one worker, reads are not. */
static int keep_workers_busy(void *arg)
{
	char path[64], *buf = take(4096 * ENTRIES);
	struct owner *o = arg;
	struct io_uring_sqe sqe = { .flags = IOSQE_ASYNC };
	struct ring r;
	int fd, i, res;

	snprintf(path, sizeof(path), "/tmp/freezer_selftest.%d", getpid());
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	unlink(path);
	if (fd < 0 || make_ring_idle(&r, 0, 0) || queue_endless(&r) ||
	    enter(&r, 4, 0, 0) != 4)
		return fail(o, 30);
	frz_inc(&o->ready);
	for (;;) {
		for (i = 0; i < 4; i++) {
			sqe.opcode = i % 2 ? IORING_OP_WRITE : IORING_OP_READ;
			sqe.fd = fd;
			sqe.addr = (unsigned long)buf + i * 4096;
			sqe.len = 4096;
			queue_sqe(&r, &sqe);
		}
		if (enter(&r, 4, 4, IORING_ENTER_GETEVENTS) != 4)
			return fail(o, 31);
		for (i = 0; i < 4; i++)
			while (!take_cqe(&r, &res))
				sched_yield();
		frz_inc(&o->done);
	}
}

/* The submission thread works, sleeps and polls in turn. */
static int keep_sq_thread_busy(void *arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP };
	struct owner *o = arg;
	unsigned int n = 0;
	struct ring r;
	int res;

	o->pending = true;
	if (begin_sqpoll(o, &r))
		return 40;
	frz_inc(&o->ready);
	for (;;) {
		queue_sqe(&r, &sqe);
		while (!take_cqe(&r, &res)) {
			if (sq_thread_sleeps(&r))
				enter(&r, 0, 0, IORING_ENTER_SQ_WAKEUP);
			sched_yield();
		}
		if (++n % 16 == 0)
			usleep(2000);
		frz_inc(&o->done);
	}
}

/* Own a vhost device: that makes a worker, which each kick gives work. */
static int own_vhost(void *arg)
{
	int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	struct vhost_vring_file ring = {};
	struct owner *o = arg;
	eventfd_t one = 1;

	ring.fd = eventfd(0, EFD_CLOEXEC);
	if (fd < 0 || ring.fd < 0 || ioctl(fd, VHOST_SET_OWNER, NULL) ||
	    ioctl(fd, VHOST_SET_VRING_KICK, &ring))
		return fail(o, 50);
	frz_inc(&o->ready);
	for (;;) {
		if (write(ring.fd, &one, sizeof(one)) != sizeof(one))
			return fail(o, 51);
		usleep(500);
		frz_inc(&o->done);
	}
}

FIXTURE(random_kill) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(random_kill) {
	int (*fn)(void *arg);
	unsigned int idle_ms;
};

FIXTURE_VARIANT_ADD(random_kill, workers) { .fn = keep_workers_busy };

FIXTURE_VARIANT_ADD(random_kill, sqpoll) {
	.fn = keep_sq_thread_busy,
	.idle_ms = SLEEPS_MS,
};

FIXTURE_VARIANT_ADD(random_kill, vhost) { .fn = own_vhost };

FIXTURE_SETUP(random_kill)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(random_kill)
{
	FRZ_GROUP_END(self->cg);
}

#define ROUNDS	100

/*
 *	cg	a process whose threads in the kernel are busy, asleep, and have
 *		requests that never end
 *
 * killable 1. One hundred times it is frozen and killed, the kill at a random time
 * after the request, or before it. It is reaped each time, though nobody thaws,
 * and the group is empty and FROZEN. A failure is a thread that comes to a door
 * behind the place where it took its SIGKILL.
 */
TEST_F_TIMEOUT(random_kill, is_reaped, 300)
{
	struct owner *o = frz_shared(sizeof(*o));
	unsigned int seed = 5;
	int i, delay;
	pid_t pid;

	ASSERT_NE(NULL, o);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	for (i = 0; i < ROUNDS; i++) {
		memset(o, 0, sizeof(*o));
		o->idle_ms = variant->idle_ms;
		pid = ASSERT_PID(frz_spawn(self->cg, variant->fn, o));
		ASSERT_EQ(0, frz_wait_word(&o->done, 1 + i % 8, FRZ_LIMIT)) {
			TH_LOG("%s", strerror(o->failed));
		}
		delay = rand_r(&seed) % 4000 - 1000;
		if (delay < 0) {
			ASSERT_EQ(0, kill(pid, SIGKILL));
			usleep(-delay);
		}
		ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state",
						"FROZEN"));
		if (delay >= 0) {
			usleep(delay);
			ASSERT_EQ(0, kill(pid, SIGKILL));
		}
		ASSERT_REAPED(pid) {
			TH_LOG("round %d, kill %d us after FROZEN, %s", i, delay,
			       frz_describe(self->cg));
		}
		ASSERT_BECOMES(self->cg, "FROZEN");
		EXPECT_EQ(0, frz_stat(self->cg, "nr_tasks"));
		ASSERT_THAWS(self->cg);
	}
}

/*
 *	cg	a process that owns a vhost device, and the device's worker
 *
 * killable 1, FROZEN, SIGKILL: the process is reaped in time, though nobody thaws.
 */
FREEZER_TEST(vhost)
{
	struct owner *o = frz_shared(sizeof(*o));
	pid_t pid;

	ASSERT_NE(NULL, o);
	ASSERT_EQ(0, frz_write(self->cg, "freezer.killable", "1"));
	pid = ASSERT_PID(frz_spawn(self->cg, own_vhost, o));
	ASSERT_EQ(0, frz_wait_word(&o->done, 2, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_REAPED(pid);
	EXPECT_STREQ("", frz_becomes(self->cg, "FROZEN", FRZ_AT_ONCE));
	ASSERT_THAWS(self->cg);
}

int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "--exit"))
		_exit(0);
	return test_harness_run(argc, argv);
}
