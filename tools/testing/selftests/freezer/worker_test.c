// SPDX-License-Identifier: GPL-2.0
/*
 * Work that others do for a task: the workers and the submission thread of
 * io_uring, which never return to user mode, and FUSE servers, without which a
 * system call does not come back.
 *
 * Clauses: C1, C8, C9, C13, C14.
 */
#include <linux/vhost.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "freezer_test.h"
#include "fuse_util.h"
#include "uring_util.h"

struct uring {
	unsigned long begun;
	unsigned long done;
	unsigned long bad;
	unsigned long last;
	unsigned long ring_fd;
	unsigned long own_cpus;
	struct io_uring_params p;
	int fd[2];
};

static void bad(struct uring *u, long why)
{
	frz_store(&u->last, why);
	frz_inc(&u->bad);
}

/* One read from a pipe by a worker, and the wait for its completion. */
static int read_by_worker(void *arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_READ };
	struct uring *u = arg;
	struct ring r;
	char buf[16];
	int res = 0;

	if (make_ring(&r, 0))
		return 1;
	sqe.flags = IOSQE_ASYNC;
	sqe.fd = u->fd[0];
	sqe.addr = (unsigned long)buf;
	sqe.len = sizeof(buf);
	queue_sqe(&r, &sqe);
	if (enter(&r, 1, 0, 0) != 1)
		return 2;
	frz_inc(&u->begun);
	if (enter(&r, 0, 1, IORING_ENTER_GETEVENTS) < 0)
		bad(u, errno);
	while (!take_cqe(&r, &res))
		sched_yield();
	if (res != 1)
		bad(u, -res);
	frz_inc(&u->done);
	return frz_sleep(NULL);
}

/*
 * A worker that sleeps in a read is at rest and not disturbed: no completion
 * over five freezes and thaws. The byte that comes while FROZEN is completed
 * with the right length after the thaw; neither the completion nor the wait for
 * it says EINTR (C13).
 */
FREEZER_TEST(uring_read_by_worker)
{
	struct uring *u = frz_shared(sizeof(*u));
	pid_t pid;
	int i;

	ASSERT_NE(NULL, u);
	ASSERT_EQ(0, pipe(u->fd));
	pid = ASSERT_PID(frz_spawn(self->cg, read_by_worker, u));
	EXPECT_EQ(0, frz_wait_word(&u->begun, 1, FRZ_LIMIT)) {
		TH_LOG("no io_uring? status %#x", frz_wait_exit(pid, 0));
	}
	ASSERT_EQ(1, frz_load(&u->begun));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	for (i = 0; i < 5; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
		frz_sleep_ms(2);
		ASSERT_EQ(0, frz_load(&u->done)) {
			TH_LOG("round %d: %s", i, strerror(u->last));
		}
	}
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(1, write(u->fd[1], "x", 1));
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_STANDS(&u->done);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&u->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&u->bad)) {
		TH_LOG("%s", strerror(u->last));
	}
}

#define STREAM	(64 << 10)

/* Reads by workers, four at a time, for ever. */
static int stream_by_workers(void *arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_READ };
	static char buf[STREAM];
	struct uring *u = arg;
	int i, res, flags;
	struct ring r;

	sqe.fd = open("/dev/zero", O_RDONLY);
	if (sqe.fd < 0 || make_ring(&r, 0))
		return 1;
	sqe.flags = IOSQE_ASYNC;
	sqe.addr = (unsigned long)buf;
	sqe.len = sizeof(buf);
	flags = IORING_ENTER_GETEVENTS;
	for (;;) {
		for (i = 0; i < 4; i++)
			queue_sqe(&r, &sqe);
		i = enter(&r, 4, 4, flags);
		if (i != 4)
			bad(u, i < 0 ? errno : 1000 + i);
		for (i = 0; i < 4; i++) {
			while (!take_cqe(&r, &res))
				sched_yield();
			if (res != STREAM)
				bad(u, res < 0 ? -res : 2000);
		}
		frz_inc(&u->done);
	}
}

/*
 * Busy workers, created and running while the freeze comes: thirty times FROZEN
 * in time, nothing is done while it is, all goes on after the thaw, and not one
 * completion is short or EINTR.
 */
FREEZER_TEST(uring_stream_by_workers)
{
	struct uring *u = frz_shared(sizeof(*u));
	unsigned long seen;
	int i;

	ASSERT_NE(NULL, u);
	ASSERT_PID(frz_spawn(self->cg, stream_by_workers, u));
	ASSERT_EQ(0, frz_wait_word(&u->done, 2, FRZ_LIMIT));
	for (i = 0; i < 30; i++) {
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&u->done);
		frz_sleep_ms(3);
		ASSERT_EQ(seen, frz_load(&u->done));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&u->done, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&u->bad)) {
		TH_LOG("last: %ld", u->last);
	}
}

static void wake_sq_thread(struct ring *r)
{
	if (sq_thread_sleeps(r))
		enter(r, 0, 0, IORING_ENTER_SQ_WAKEUP);
}

/* Entries for a submission thread, without a system call where possible. */
static int feed_sq_thread(void *arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP };
	struct uring *u = arg;
	struct ring r;
	int res;

	if (make_ring(&r, IORING_SETUP_SQPOLL))
		return 1;
	for (;;) {
		queue_sqe(&r, &sqe);
		while (!take_cqe(&r, &res)) {
			wake_sq_thread(&r);
			sched_yield();
		}
		if (res)
			bad(u, -res);
		frz_inc(&u->done);
	}
}

/*
 * A submission thread that polls in the kernel freezes and goes on, thirty times.
 */
FREEZER_TEST(uring_sqpoll)
{
	struct uring *u = frz_shared(sizeof(*u));
	unsigned long seen;
	int i;

	ASSERT_NE(NULL, u);
	ASSERT_PID(frz_spawn(self->cg, feed_sq_thread, u));
	ASSERT_EQ(0, frz_wait_word(&u->done, 2, FRZ_LIMIT));
	for (i = 0; i < 30; i++) {
		ASSERT_FREEZES(self->cg);
		seen = frz_load(&u->done);
		frz_sleep_ms(3);
		ASSERT_EQ(seen, frz_load(&u->done));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&u->done, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&u->bad)) {
		TH_LOG("%s", strerror(u->last));
	}
}

static int lend_ring(void *arg)
{
	struct uring *u = arg;
	struct ring r;

	if (make_ring(&r, IORING_SETUP_SQPOLL))
		return 1;
	u->p = r.p;
	frz_store(&u->ring_fd, r.fd);
	frz_inc(&u->begun);
	return frz_sleep(NULL);
}

/*
 * The submission thread is in the group, the ring is fed from outside (through a
 * descriptor taken from the process): while FROZEN nothing is taken from it,
 * after the thaw everything.
 */
FREEZER_TEST(uring_sqpoll_fed_from_outside)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP };
	struct uring *u = frz_shared(sizeof(*u));
	unsigned int before;
	struct ring r = {};
	int i, pidfd;
	pid_t pid;

	ASSERT_NE(NULL, u);
	pid = ASSERT_PID(frz_spawn(self->cg, lend_ring, u));
	ASSERT_EQ(0, frz_wait_word(&u->begun, 1, FRZ_LIMIT));
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	r.p = u->p;
	r.fd = syscall(SYS_pidfd_getfd, pidfd, (int)u->ring_fd, 0);
	ASSERT_LE(0, r.fd);
	ASSERT_EQ(0, map_ring(&r));
	for (i = 0; i < 10; i++) {
		ASSERT_FREEZES(self->cg);
		before = nr_completed(&r);
		queue_sqe(&r, &sqe);
		frz_sleep_ms(5);
		ASSERT_EQ(before, nr_completed(&r)) {
			TH_LOG("round %d: work was done while FROZEN", i);
		}
		ASSERT_THAWS(self->cg);
		frz_until(nr_completed(&r) != before ||
			  (wake_sq_thread(&r), false), FRZ_LIMIT);
		ASSERT_EQ(before + 1, nr_completed(&r));
	}
}

#define FIFO	"/tmp/freezer_selftest.fifo"

/*
 * A FIFO is opened twice, by workers, which wait for a writer. With own_cpus they have
 * the CPUs of their process.
 */
static int open_by_two(void *arg)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_OPENAT,
		.flags = IOSQE_ASYNC,
		.fd = AT_FDCWD,
		.addr = (unsigned long)FIFO,
		.open_flags = O_RDONLY,
	};
	struct uring *u = arg;
	struct ring r;
	cpu_set_t cpus;
	int i, res;

	if (make_ring(&r, 0))
		return 1;
	if (u->own_cpus &&
	    (sched_getaffinity(0, sizeof(cpus), &cpus) ||
	     syscall(SYS_io_uring_register, r.fd, IORING_REGISTER_IOWQ_AFF, &cpus,
		     sizeof(cpus))))
		return 3;
	for (i = 0; i < 2; i++)
		queue_sqe(&r, &sqe);
	if (enter(&r, 2, 0, 0) != 2)
		return 2;
	for (i = 0; i < 2; i++) {
		while (!take_cqe(&r, &res))
			enter(&r, 0, 1, IORING_ENTER_GETEVENTS);
		if (res < 0)
			bad(u, -res);
		frz_inc(&u->done);
	}
	return frz_sleep(NULL);
}

/* The threads of @pid, @nr of them: 0, or -ETIMEDOUT. */
static int wait_threads(pid_t pid, int64_t nr)
{
	return frz_until(frz_proc_status(pid, "Threads") == nr, FRZ_LIMIT) ?
	       0 : -ETIMEDOUT;
}

/* How long an idle worker stays, and more. */
#define IDLE_MS		5000
#define IDLE_OVER_MS	(IDLE_MS + 1500)

/*
 * A worker that has been idle for five seconds leaves, if it is not the last one.
 * Two that are idle when their group becomes FROZEN are there after that time,
 * and the list of tasks is the same. After the thaw one of them leaves.
 *
 * A failure means that the list of tasks of a FROZEN group changes by itself
 * (C1).
 */
FREEZER_TEST(uring_idle_workers)
{
	pid_t before[8] = {}, after[8] = {}, pid;
	struct uring *u = frz_shared(sizeof(*u));
	int fd, nr;

	ASSERT_NE(NULL, u);
	unlink(FIFO);
	ASSERT_EQ(0, mkfifo(FIFO, 0600));
	pid = ASSERT_PID(frz_spawn(self->cg, open_by_two, u));
	ASSERT_EQ(0, wait_threads(pid, 3));
	fd = open(FIFO, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, frz_wait_word(&u->done, 2, FRZ_LIMIT));
	ASSERT_EQ(0, frz_load(&u->bad));
	ASSERT_FREEZES(self->cg);
	nr = frz_list(self->cg, "tasks", before, 8);
	ASSERT_EQ(3, nr);
	frz_sleep_ms(IDLE_OVER_MS);
	EXPECT_EQ(nr, frz_list(self->cg, "tasks", after, 8)) {
		TH_LOG("an idle worker has left the FROZEN group");
	}
	EXPECT_EQ(0, memcmp(before, after, sizeof(before)));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, wait_threads(pid, 2));
	close(fd);
	unlink(FIFO);
}

/* Do all tasks of @cg sleep? */
static bool all_asleep(const char *cg)
{
	pid_t list[8];
	int i, nr;

	nr = frz_list(cg, "tasks", list, 8);
	for (i = 0; i < nr; i++)
		if (frz_task_state(list[i]) != 'S')
			return false;
	return nr > 0;
}

/*
 * A SIGSTOP that has woken the idle workers of a process when the freeze comes stops
 * them first, and the parent is told (C9). All have one CPU: the process, a realtime
 * task above the test, stops during kill(), and its workers, below the test, get no
 * CPU before the freeze.
 *
 * A failure means that an idle worker goes to the door with a stop ahead of it.
 */
FREEZER_TEST(uring_idle_worker_stops)
{
	struct sched_param high = { .sched_priority = 2 };
	struct sched_param fifo = { .sched_priority = 1 }, other = { 0 };
	struct uring *u = frz_shared(sizeof(*u));
	cpu_set_t all, one;
	int cpu, fd, i;
	pid_t pid;

	ASSERT_NE(NULL, u);
	unlink(FIFO);
	ASSERT_EQ(0, mkfifo(FIFO, 0600));
	ASSERT_EQ(0, sched_getaffinity(0, sizeof(all), &all));
	for (cpu = 0; !CPU_ISSET(cpu, &all); cpu++)
		;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
	u->own_cpus = 1;
	pid = ASSERT_PID(frz_spawn(self->cg, open_by_two, u));
	/* it may have been sent to another CPU */
	ASSERT_EQ(0, frz_share_cpu(pid));
	ASSERT_EQ(0, wait_threads(pid, 3));
	fd = open(FIFO, O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	ASSERT_EQ(0, frz_wait_word(&u->done, 2, FRZ_LIMIT));
	ASSERT_EQ(0, frz_load(&u->bad));
	for (i = 0; i < 10; i++) {
		ASSERT_TRUE(frz_until(all_asleep(self->cg), FRZ_LIMIT));
		ASSERT_EQ(0, sched_setscheduler(pid, SCHED_FIFO, &high));
		ASSERT_EQ(0, sched_setscheduler(0, SCHED_FIFO, &fifo));
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_FREEZES(self->cg);
		EXPECT_LE(0, frz_wait_stop(pid, WUNTRACED, 0)) {
			TH_LOG("round %d: not stopped when FROZEN", i);
		}
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, sched_setscheduler(0, SCHED_OTHER, &other));
		ASSERT_EQ(0, kill(pid, SIGCONT));
	}
	close(fd);
	unlink(FIFO);
}

#define NR_LONG		16
#define LONG_SIZE	(32 << 20)

/* A ring of the test, and whose requests are in it. */
struct long_work {
	struct ring r;
	int memfd;
	bool linked;
	bool bound;
	int num;
	unsigned long submitted;
};

/*
 * Requests that each take some 10 ms, by one worker. Without a file, or with one that is
 * known to be regular, they are bound: the owner of the worker waits for these when it
 * exits. Of a read in a chain that is not known.
 */
static int queue_long_work(struct long_work *w)
{
	struct io_uring_sqe sqe = {
		.opcode = IORING_OP_READ,
		.flags = IOSQE_ASYNC | (w->linked ? IOSQE_IO_LINK : 0),
		.fd = w->memfd,
		.len = LONG_SIZE,
	};
	unsigned int max[2] = { 1, 1 };
	int i;

	sqe.addr = (unsigned long)mmap(NULL, LONG_SIZE, PROT_READ | PROT_WRITE,
				       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
				       -1, 0);
	if (w->bound) {
		sqe.opcode = IORING_OP_MADVISE;
		sqe.fadvise_advice = MADV_POPULATE_READ;
	}
	if (syscall(SYS_io_uring_register, w->r.fd, IORING_REGISTER_IOWQ_MAX_WORKERS,
		    max, 2))
		return 1;
	for (i = 1; i <= w->num; i++) {
		queue_sqe(&w->r, &sqe);
		if (w->linked && i < w->num)
			continue;
		if (enter(&w->r, w->linked ? i : 1, 0, 0) < 1)
			return 2;
	}
	frz_store(&w->submitted, 1);
	return 0;
}

static int submit_long_work(void *arg)
{
	return queue_long_work(arg) ?: frz_sleep(NULL);
}

static void *queue_and_leave(void *arg)
{
	return (void *)(long)queue_long_work(arg);
}

/* By a thread that has left when its requests are done. */
static int leave_long_work(void *arg)
{
	pthread_t thread;
	void *ret;

	if (pthread_create(&thread, NULL, queue_and_leave, arg) ||
	    pthread_join(thread, &ret))
		return 3;
	return ret ? (long)ret : frz_sleep(NULL);
}

FIXTURE(long_work) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(long_work) {
	bool linked;
};

FIXTURE_VARIANT_ADD(long_work, list) {
};

FIXTURE_VARIANT_ADD(long_work, chain) {
	.linked = true,
};

FIXTURE_SETUP(long_work)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(long_work)
{
	FRZ_GROUP_END(self->cg);
}

/* A process in @cg that runs @fn, and has one of its requests done: its pid, or -errno. */
static pid_t begin_long_work(struct long_work *w, const char *cg, int (*fn)(void *arg))
{
	pid_t pid;

	w->num = w->linked ? ENTRIES : NR_LONG;
	w->memfd = memfd_create("long work", MFD_CLOEXEC);
	if (make_ring(&w->r, 0) || w->memfd < 0 ||
	    fallocate(w->memfd, 0, 0, LONG_SIZE))
		return -errno;
	pid = frz_spawn(cg, fn, w);
	if (pid > 0 && !frz_until_busy(nr_completed(&w->r), FRZ_LIMIT))
		return -ETIMEDOUT;
	return pid;
}

static void end_long_work(struct long_work *w)
{
	close(w->memfd);
	close(w->r.fd);
}

/* Rounds in which all was done before the freeze could come. */
#define TOO_LATE	10

/*
 * C8, C9: a worker has much to do, and a stop comes before the freeze. It stops when the
 * piece of work in hand is done, and works off neither its list nor a chain of linked
 * requests before that.
 */
TEST_F_TIMEOUT(long_work, stop_comes_first, 90)
{
	struct long_work *w = frz_shared(sizeof(*w));
	int done = 0, i;
	pid_t pid;

	ASSERT_NE(NULL, w);
	for (i = 0; i < TOO_LATE; i++) {
		memset(w, 0, sizeof(*w));
		w->linked = variant->linked;
		pid = ASSERT_PID(begin_long_work(w, self->cg, submit_long_work));
		ASSERT_EQ(0, frz_wait_word(&w->submitted, 1, FRZ_LIMIT));
		ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_FREEZES(self->cg);
		done = nr_completed(&w->r);
		if (done < w->num)
			break;
		TH_LOG("round %d: all was done", i);
		ASSERT_THAWS(self->cg);
		kill(pid, SIGKILL);
		ASSERT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
		end_long_work(w);
	}
	ASSERT_GT(w->num, done);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(done, (int)nr_completed(&w->r));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	ASSERT_EQ(0, kill(pid, SIGCONT));
	EXPECT_TRUE(frz_until((int)nr_completed(&w->r) == w->num, FRZ_LIMIT)) {
		TH_LOG("%u of %d, %d when FROZEN", nr_completed(&w->r), w->num, done);
	}
	end_long_work(w);
}

/*
 * C13: the thread that has submitted the requests leaves, and waits for its worker to
 * end them. A freeze and a thaw in between cancel none. Nor does a stop, in half of the
 * rounds.
 */
TEST_F_TIMEOUT(long_work, owner_leaves, 90)
{
	struct long_work *w = frz_shared(sizeof(*w));
	int between = 0, i, n, res = 0;
	pid_t pid;

	ASSERT_NE(NULL, w);
	for (i = 0; i < TOO_LATE && between < 4; i++) {
		memset(w, 0, sizeof(*w));
		w->linked = variant->linked;
		w->bound = true;
		pid = ASSERT_PID(begin_long_work(w, self->cg, leave_long_work));
		ASSERT_EQ(0, frz_wait_word(&w->submitted, 1, FRZ_LIMIT));
		if (between % 2)
			ASSERT_EQ(0, kill(pid, SIGSTOP));
		ASSERT_FREEZES(self->cg);
		between += (int)nr_completed(&w->r) < w->num;
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, kill(pid, SIGCONT));
		EXPECT_TRUE(frz_until((int)nr_completed(&w->r) == w->num, FRZ_LIMIT)) {
			TH_LOG("%u of %d", nr_completed(&w->r), w->num);
		}
		for (n = 0; take_cqe(&w->r, &res) && !res; n++)
			;
		EXPECT_EQ(w->num, n) {
			TH_LOG("round %d, request %d: %s", i, n, strerror(-res));
		}
		kill(pid, SIGKILL);
		ASSERT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
		end_long_work(w);
	}
	/* the others were all done before the freeze came */
	EXPECT_EQ(4, between);
}

/* Requests that each need a new worker. */
static int make_workers(void *arg)
{
	struct io_uring_sqe sqe = { .opcode = IORING_OP_NOP };
	struct uring *u = arg;
	struct ring r;
	pid_t pid;
	int res;

	for (;;) {
		/* Workers belong to the process, not to the ring. */
		pid = fork();
		if (!pid) {
			if (make_ring(&r, 0))
				_exit(1);
			sqe.flags = IOSQE_ASYNC;
			queue_sqe(&r, &sqe);
			if (enter(&r, 1, 0, 0) != 1)
				_exit(2);
			while (!take_cqe(&r, &res))
				enter(&r, 0, 1, IORING_ENTER_GETEVENTS);
			if (res)
				bad(u, -res);
			frz_inc(&u->done);
			_exit(0);
		}
		if (pid < 0 || frz_wait_exit(pid, 10 * FRZ_LIMIT))
			return 1;
	}
}

/*
 * No worker is made behind a closed door. Requests that each need a new one, and a
 * freeze and a thaw every few milliseconds: the request waits for the thaw, and no
 * completion is an error.
 *
 * A failure means that a refused worker counts as a failure to make one. After
 * some of them a request is cancelled.
 */
FREEZER_TEST(uring_new_workers)
{
	struct uring *u = frz_shared(sizeof(*u));
	int i;

	ASSERT_NE(NULL, u);
	ASSERT_PID(frz_spawn(self->cg, make_workers, u));
	ASSERT_EQ(0, frz_wait_word(&u->done, 2, FRZ_LIMIT));
	for (i = 0; i < 200; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
		usleep(i % 10 * 200);
	}
	ASSERT_EQ(0, frz_wait_move(&u->done, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&u->bad)) {
		TH_LOG("%lu of %lu failed, the last: %s", u->bad, u->done,
		       strerror(u->last));
	}
}

struct vhost {
	unsigned long begun;
	unsigned long calls;
	unsigned long bad;
	unsigned long last;
	int kick;
};

/* Own a vhost device, time and again. */
static int own_vhosts(void *arg)
{
	struct vhost *v = arg;

	for (;;) {
		int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

		if (fd < 0)
			return 1;
		if (ioctl(fd, VHOST_SET_OWNER, NULL)) {
			frz_store(&v->last, errno);
			frz_inc(&v->bad);
		}
		frz_inc(&v->calls);
		close(fd);
	}
}

/*
 * A freeze that comes while a vhost device gets its worker: the call waits for the
 * thaw, and succeeds. 500 times, or for 40 seconds: in cgroup v2 a freeze that meets the
 * owner as it waits for the end of the worker takes as long as its patience.
 *
 * A failure means that the program is told that there is no memory.
 */
FREEZER_TEST(vhost_owner)
{
	struct vhost *v = frz_shared(sizeof(*v));
	int64_t end = frz_now_ns() + 40000000000;
	int i;

	ASSERT_NE(NULL, v);
	ASSERT_PID(frz_spawn(self->cg, own_vhosts, v));
	ASSERT_EQ(0, frz_wait_word(&v->calls, 2, FRZ_LIMIT));
	for (i = 0; i < 500 && frz_now_ns() < end; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
		usleep(i % 10 * 100);
	}
	ASSERT_EQ(0, frz_wait_move(&v->calls, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&v->bad)) {
		TH_LOG("%lu of %lu failed, the last: %s", v->bad, v->calls,
		       strerror(v->last));
	}
}

/* Own a vhost device: that makes a worker. Each kick gives it work. */
static int own_vhost(void *arg)
{
	struct vhost_vring_file ring = {};
	struct vhost *v = arg;
	int fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);

	ring.fd = v->kick;
	if (fd < 0 || ioctl(fd, VHOST_SET_OWNER, NULL) ||
	    ioctl(fd, VHOST_SET_VRING_KICK, &ring))
		return 1;
	frz_inc(&v->begun);
	return frz_sleep(NULL);
}

/* The worker of @pid, the only other one in @cg; *@own: it is a thread of it. */
static pid_t find_worker(const char *cg, pid_t pid, bool *own)
{
	pid_t list[4], tid = -ENOENT;
	char name[64];
	int i, nr;

	nr = frz_list(cg, "tasks", list, 4);
	for (i = 0; i < nr; i++)
		if (list[i] != pid)
			tid = list[i];
	snprintf(name, sizeof(name), "/proc/%d/task/%d", pid, tid);
	*own = !access(name, F_OK);
	return nr == 2 ? tid : -ENOENT;
}

/* How often the worker went to sleep. */
static int64_t worker_switches(pid_t tid)
{
	return frz_proc_status(tid, "voluntary_ctxt_switches");
}

static int wait_switch(pid_t tid, int64_t before, int timeout_ms)
{
	return frz_until(worker_switches(tid) != before, timeout_ms) ?
	       0 : -ETIMEDOUT;
}

/*
 * A vhost worker works when the device is kicked. Ten times: FROZEN, two kicks
 * from outside. The first may wake the worker, which gets no farther than to the
 * door; at the second it does not run at all; after the thaw it does (C14).
 *
 * Before Linux 6.4 the worker is a kernel thread that is in the cgroups of the
 * process. Those are not frozen and do not count: FROZEN comes as soon, and each
 * kick is worked for.
 */
FREEZER_TEST(vhost_worker)
{
	struct vhost *v = frz_shared(sizeof(*v));
	pid_t pid, worker;
	int64_t before;
	bool own;
	int i;

	ASSERT_NE(NULL, v);
	v->kick = eventfd(0, EFD_NONBLOCK);
	ASSERT_LE(0, v->kick);
	pid = ASSERT_PID(frz_spawn(self->cg, own_vhost, v));
	ASSERT_EQ(0, frz_wait_word(&v->begun, 1, FRZ_LIMIT));
	worker = find_worker(self->cg, pid, &own);
	ASSERT_LT(0, worker);
	before = worker_switches(worker);
	ASSERT_EQ(0, eventfd_write(v->kick, 1));
	ASSERT_EQ(0, wait_switch(worker, before, FRZ_LIMIT)) {
		TH_LOG("the worker does not work without a freeze");
	}
	for (i = 0; i < 10; i++) {
		ASSERT_FREEZES(self->cg);
		/* The first kick wakes it, and it comes to the door. */
		ASSERT_EQ(0, eventfd_write(v->kick, 1));
		frz_settle();
		before = worker_switches(worker);
		ASSERT_EQ(0, eventfd_write(v->kick, 1));
		if (!own)
			ASSERT_EQ(0, wait_switch(worker, before, FRZ_LIMIT));
		frz_sleep_ms(FRZ_WATCH);
		if (own) {
			EXPECT_EQ(before, worker_switches(worker)) {
				TH_LOG("round %d: work was done while FROZEN",
				       i);
			}
		}
		EXPECT_STATE(self->cg, "FROZEN");
		ASSERT_THAWS(self->cg);
		if (own)
			ASSERT_EQ(0, wait_switch(worker, before, FRZ_LIMIT));
	}
}

FIXTURE(fuse) {
	char cg[FRZ_PATH_MAX];
	int fd;
};

FIXTURE_SETUP(fuse)
{
	FRZ_GROUP_MAKE(self->cg);
	self->fd = mount_fuse();
	ASSERT_LE(0, self->fd) {
		TH_LOG("FUSE: %s", strerror(-self->fd));
	}
}

FIXTURE_TEARDOWN(fuse)
{
	/* The last descriptor ends the connection and all that waits for it. */
	if (self->fd >= 0)
		close(self->fd);
	umount2(fuse_dir, MNT_DETACH);
	FRZ_GROUP_END(self->cg);
	rmdir(fuse_dir);
}

struct files {
	int fd;
	unsigned long begun;
	unsigned long done;
	unsigned long errors;
	unsigned long last;
	unsigned long interrupts;
	unsigned long served;
};

/* stat() the directory for ever: each one asks the server. */
static int fuse_client(void *arg)
{
	struct files *f = arg;
	struct stat st;

	close(f->fd);
	for (;;) {
		frz_inc(&f->begun);
		if (stat(fuse_dir, &st)) {
			frz_store(&f->last, errno);
			frz_inc(&f->errors);
		}
		frz_inc(&f->done);
	}
	return 0;
}

static int fuse_server(void *arg)
{
	struct files *f = arg;
	struct request req;
	int op;

	for (;;) {
		op = next_request(f->fd, &req, -1);
		if (op < 0 && op != -EINTR && op != -ENOENT)
			return 1;
		if (op < 0)
			continue;
		if (op == FUSE_INTERRUPT)
			frz_inc(&f->interrupts);
		frz_inc(&f->served);
		serve(f->fd, &req);
	}
	return 0;
}

/*
 * The server (this test) is outside and does not answer: the client in the
 * group is at rest where it waits, also when the server is dead. It is not
 * interrupted (no FUSE_INTERRUPT is sent), the answer that comes while FROZEN is
 * kept, and after the thaw its system call succeeds.
 */
TEST_F_TIMEOUT(fuse, server_outside, 90)
{
	struct files *f = frz_shared(sizeof(*f));
	struct request req, other;
	int i, op;

	ASSERT_NE(NULL, f);
	f->fd = self->fd;
	ASSERT_EQ(FUSE_INIT, next_request(self->fd, &req, FRZ_LIMIT));
	ASSERT_EQ(0, serve(self->fd, &req));
	ASSERT_PID(frz_spawn(self->cg, fuse_client, f));
	for (;;) {
		op = next_request(self->fd, &req, FRZ_LIMIT);
		ASSERT_LT(0, op);
		if (op == FUSE_GETATTR && frz_load(&f->begun))
			break;
		ASSERT_EQ(0, serve(self->fd, &req));
	}
	for (i = 0; i < 5; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_THAWS(self->cg);
	}
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(-ETIMEDOUT, next_request(self->fd, &other, FRZ_WATCH)) {
		TH_LOG("request %d: interrupted", other.head.opcode);
	}
	ASSERT_EQ(0, serve(self->fd, &req));
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_STANDS(&f->done);
	EXPECT_EQ(0, frz_load(&f->done));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&f->done, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&f->errors)) {
		TH_LOG("stat: %s", strerror(f->last));
	}
}

/*
 * Server and client are in the group, in whatever order they come to rest:
 * thirty freezes in time (C8); both go on after each thaw; no call has failed.
 *
 *	cg		client
 *	 `- sub		server
 */
TEST_F_TIMEOUT(fuse, server_inside, 90)
{
	struct files *f = frz_shared(sizeof(*f));
	unsigned long done, served;
	char sub[FRZ_PATH_MAX];
	int i;

	ASSERT_NE(NULL, f);
	f->fd = self->fd;
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_PID(frz_spawn(sub, fuse_server, f));
	ASSERT_PID(frz_spawn(self->cg, fuse_client, f));
	close(self->fd);
	self->fd = -1;
	ASSERT_EQ(0, frz_wait_word(&f->done, 3, FRZ_LIMIT));
	for (i = 0; i < 30; i++) {
		ASSERT_FREEZES(self->cg);
		done = frz_load(&f->done);
		served = frz_load(&f->served);
		frz_sleep_ms(3);
		ASSERT_EQ(done, frz_load(&f->done));
		ASSERT_EQ(served, frz_load(&f->served));
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&f->done, FRZ_LIMIT));
	}
	EXPECT_EQ(0, frz_load(&f->interrupts));
	EXPECT_EQ(0, frz_load(&f->errors)) {
		TH_LOG("stat: %s", strerror(f->last));
	}
}

TEST_HARNESS_MAIN
