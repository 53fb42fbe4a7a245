// SPDX-License-Identifier: GPL-2.0
/*
 * The closed fork: a cgroup that is FROZEN has the tasks it has. Clients freeze,
 * read the task list and act on it.
 *
 * Clauses: C1, C8, C13.
 */
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "freezer_lost.h"
#include "freezer_test.h"

#define LIST_MAX	512

struct forker {
	unsigned long forks;
	unsigned long errors;
	unsigned long last_errno;
};

static void failed(struct forker *f)
{
	frz_store(&f->last_errno, errno);
	frz_inc(&f->errors);
}

/* Children that live for a moment; one in sight of the other. */
static int fork_loop(void *arg)
{
	struct forker *f = arg;
	pid_t pid;

	for (;;) {
		pid = fork();
		if (!pid) {
			frz_inc(&f->forks);
			_exit(0);
		}
		if (pid < 0)
			failed(f);
		else if (waitpid(pid, NULL, 0) != pid)
			failed(f);
	}
	return 0;
}

static int vfork_loop(void *arg)
{
	struct forker *f = arg;
	pid_t pid;

	for (;;) {
		pid = vfork();
		if (!pid) {
			frz_inc(&f->forks);
			_exit(0);
		}
		if (pid < 0)
			failed(f);
		else if (waitpid(pid, NULL, 0) != pid)
			failed(f);
	}
	return 0;
}

static void *thread_nop(void *arg)
{
	frz_inc(arg);
	return NULL;
}

static int thread_loop(void *arg)
{
	struct forker *f = arg;
	pthread_t thread;
	int err;

	for (;;) {
		err = pthread_create(&thread, NULL, thread_nop, &f->forks);
		if (err) {
			errno = err;
			failed(f);
			continue;
		}
		err = pthread_join(thread, NULL);
		if (err) {
			errno = err;
			failed(f);
		}
	}
	return 0;
}

FIXTURE(forks) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(forks) {
	int (*fn)(void *arg);
};

FIXTURE_VARIANT_ADD(forks, fork) {
	.fn = fork_loop,
};

FIXTURE_VARIANT_ADD(forks, vfork) {
	.fn = vfork_loop,
};

FIXTURE_VARIANT_ADD(forks, thread) {
	.fn = thread_loop,
};

FIXTURE_SETUP(forks)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(forks)
{
	FRZ_GROUP_END(self->cg);
}

/* Has the list lost tasks, and got none? */
static bool have_gone(const pid_t *was, int nr_was, const pid_t *is, int nr_is)
{
	int i, k;

	for (i = 0; i < nr_is; i++) {
		for (k = 0; k < nr_was && was[k] != is[i]; k++)
			;
		if (k == nr_was)
			return false;
	}
	return nr_is < nr_was;
}

/*
 * Four processes create tasks in a loop; thirty freezes. Each is FROZEN in time;
 * the task list read then is the same some milliseconds later, and no new task
 * has counted. After the thaw each goes on, and no fork(), vfork(), clone() or
 * wait has ever failed: a wrong errno is a retry of ours that leaked out (C13).
 */
TEST_F_TIMEOUT(forks, task_list_stands, 90)
{
	struct forker *f = frz_shared(4 * sizeof(*f));
	pid_t before[LIST_MAX], after[LIST_MAX];
	struct frz_lists unjudged = {};
	int64_t begin, ns, lost;
	unsigned long seen[4];
	int i, k, num, now;

	ASSERT_NE(NULL, f);
	ASSERT_EQ(0, frz_lost_start());
	for (k = 0; k < 4; k++)
		ASSERT_PID(frz_spawn(self->cg, variant->fn, &f[k]));
	for (k = 0; k < 4; k++)
		ASSERT_EQ(0, frz_wait_move(&f[k].forks, FRZ_LIMIT));
	for (i = 0; i < 30 + unjudged.nr; i++) {
		lost = frz_lost_ns();
		begin = frz_now_ns();
		ASSERT_FREEZES(self->cg);
		ns = frz_now_ns() - begin;
		lost = frz_lost_ns() - lost;
		for (k = 0; k < 4; k++)
			seen[k] = frz_load(&f[k].forks);
		num = frz_list(self->cg, "tasks", before, LIST_MAX);
		ASSERT_LE(4, num);
		frz_sleep_ms(3);
		for (k = 0; k < 4; k++)
			ASSERT_EQ(seen[k], frz_load(&f[k].forks));
		now = frz_list(self->cg, "tasks", after, LIST_MAX);
		if (!have_gone(before, num, after, now) ||
		    !frz_list_is_unjudged(&unjudged, ns, lost)) {
			ASSERT_EQ(num, now) {
				TH_LOG("round %d", i);
			}
			ASSERT_EQ(0, memcmp(before, after, num * sizeof(pid_t)));
		}
		ASSERT_THAWS(self->cg);
		for (k = 0; k < 4; k++)
			ASSERT_EQ(0, frz_wait_move(&f[k].forks, FRZ_LIMIT));
	}
	for (k = 0; k < 4; k++) {
		EXPECT_EQ(0, frz_load(&f[k].errors)) {
			TH_LOG("last error: %s", strerror(f[k].last_errno));
		}
	}
}

struct slow_fork {
	unsigned long ready;
	unsigned long child;
	unsigned long result;
	int sock[2];
};

/* A process whose fork() does not return before somebody reads its userfault. */
static int fork_slowly(void *arg)
{
	struct uffdio_api api = {
		.api = UFFD_API,
		.features = UFFD_FEATURE_EVENT_FORK,
	};
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct slow_fork *s = arg;
	size_t size = 1 << 16;
	void *mem;
	pid_t pid;
	int fd;

	fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0 || ioctl(fd, UFFDIO_API, &api))
		return 1;
	mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)mem;
	reg.range.len = size;
	if (mem == MAP_FAILED || ioctl(fd, UFFDIO_REGISTER, &reg) ||
	    frz_send_fd(s->sock[1], fd))
		return 2;
	frz_store(&s->ready, 1);
	pid = fork();
	if (!pid) {
		frz_store(&s->child, getpid());
		frz_spin(&s->child);
	}
	frz_store(&s->result, pid < 0 ? errno : 1000000 + pid);
	return frz_sleep(NULL);
}

/* Take fork events until there is none for a while: how many. */
static int take_events(int fd, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct uffd_msg msg;
	int num = 0;

	while (poll(&pfd, 1, timeout_ms) == 1) {
		if (read(fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event != UFFD_EVENT_FORK)
			continue;
		close(msg.arg.fork.ufd);
		num++;
	}
	return num;
}

/*
 * A task asleep in the middle of fork() (userfaultfd lets us hold it there) is
 * at rest. When its sleep ends while the cgroup is FROZEN, it must not add a
 * task: the list stays as it was (C1). After the thaw the fork succeeds, as if
 * nothing had been.
 */
FREEZER_TEST(fork_asleep_in_kernel)
{
	struct slow_fork *s = frz_shared(sizeof(*s));
	struct pollfd pfd = { .events = POLLIN };
	int fd;
	pid_t pid, list[8];

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, s->sock));
	pid = ASSERT_PID(frz_spawn(self->cg, fork_slowly, s));
	fd = frz_receive_fd(s->sock[0], FRZ_LIMIT);
	ASSERT_LE(0, fd) {
		TH_LOG("child: status %#x", frz_wait_exit(pid, 0));
	}
	ASSERT_EQ(0, frz_wait_word(&s->ready, 1, FRZ_LIMIT));
	/* The event is there: the task waits for its reader, in fork(). */
	pfd.fd = fd;
	ASSERT_TRUE(frz_until(poll(&pfd, 1, 0) == 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));

	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(1, frz_list(self->cg, "tasks", list, 8));
	EXPECT_EQ(1, take_events(fd, FRZ_WATCH));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(1, frz_list(self->cg, "tasks", list, 8));
	EXPECT_EQ(0, frz_load(&s->child));
	EXPECT_EQ(0, frz_load(&s->result));

	ASSERT_THAWS(self->cg);
	frz_until_busy((take_events(fd, 10), frz_load(&s->result)), FRZ_LIMIT);
	EXPECT_LT(1000000, frz_load(&s->result)) {
		TH_LOG("fork: %s", strerror(s->result));
	}
	EXPECT_EQ(0, frz_wait_move(&s->child, FRZ_LIMIT));
}

/*
 * While the cgroup is still FREEZING, because of another task, forks do not
 * happen any more either: with all but one at rest the list stands.
 *
 *	cg	four that fork, one busy in a call
 */
FREEZER_TEST(no_fork_while_freezing)
{
	struct forker *f = frz_shared(4 * sizeof(*f));
	struct frz_busy *busy = frz_busy_new(20000);
	pid_t list[LIST_MAX];
	int k, num;

	ASSERT_NE(NULL, f);
	for (k = 0; k < 4; k++) {
		ASSERT_PID(frz_spawn(self->cg, fork_loop, &f[k]));
		ASSERT_EQ(0, frz_wait_move(&f[k].forks, FRZ_LIMIT));
	}
	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	ASSERT_TRUE(frz_until(frz_stat(self->cg, "nr_busy") == 1, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FREEZING");
	num = frz_list(self->cg, "tasks", list, LIST_MAX);
	for (k = 0; k < 4; k++)
		EXPECT_STANDS(&f[k].forks);
	EXPECT_EQ(num, frz_list(self->cg, "tasks", list, LIST_MAX));
	EXPECT_EQ(0, frz_load(&busy->returns));
	ASSERT_THAWS(self->cg);
	for (k = 0; k < 4; k++) {
		EXPECT_RUNS(&f[k].forks);
		EXPECT_EQ(0, frz_load(&f[k].errors));
	}
}

static int vfork_long(void *arg)
{
	unsigned long *word = arg;
	pid_t pid;

	pid = vfork();
	if (!pid) {
		while (!frz_load(&word[1]))
			frz_inc(&word[0]);
		_exit(0);
	}
	frz_store(&word[2], pid);
	return frz_sleep(NULL);
}

/*
 * The parent of a vfork() waits in the kernel until its child is done; the
 * child spins. Both freeze, the child ends after the thaw, and the parent gets
 * its pid. The child alone in another, frozen cgroup holds nobody up (C8).
 */
FREEZER_TEST(vfork_parent_waits)
{
	unsigned long *word = ASSERT_WORDS(3);
	char sub[FRZ_PATH_MAX];
	pid_t pid, list[4];
	int num, i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	pid = ASSERT_PID(frz_spawn(sub, vfork_long, word));
	ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	for (i = 0; i < 10; i++) {
		ASSERT_FREEZES(sub);
		EXPECT_STANDS(word);
		ASSERT_THAWS(sub);
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
	}
	/* Leave only the parent, frozen; its child comes to an end. */
	num = frz_list(sub, "tasks", list, 4);
	ASSERT_EQ(2, num);
	for (i = 0; i < num; i++)
		if (list[i] != pid)
			ASSERT_EQ(0, frz_move_process(self->cg, list[i]));
	ASSERT_FREEZES(sub);
	frz_store(&word[1], 1);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(0, frz_load(&word[2]));
	EXPECT_STATE(sub, "FROZEN");
	ASSERT_THAWS(sub);
	EXPECT_EQ(0, frz_wait_word(&word[2], 1, FRZ_LIMIT));
	EXPECT_GT(1UL << 31, frz_load(&word[2]));
}

struct birth {
	unsigned long ready;
	unsigned long uffd;
	unsigned long ran;
	void *page;
};

/* A page that somebody outside has to fill in: 0 or -1. */
static int missing_page(struct birth *b)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };

	b->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	b->page = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (unsigned long)b->page;
	reg.range.len = getpagesize();
	if (b->page == MAP_FAILED || (int)b->uffd < 0 ||
	    ioctl(b->uffd, UFFDIO_API, &api))
		return -1;
	return ioctl(b->uffd, UFFDIO_REGISTER, &reg);
}

/* Fill it in, by a descriptor of the same: 0 or -1. */
static int fill_page(struct birth *b, int uffd)
{
	static char zeros[1 << 16];
	struct uffdio_copy copy = {
		.dst = (unsigned long)b->page,
		.src = (unsigned long)zeros,
		.len = getpagesize(),
	};

	return ioctl(uffd, UFFDIO_COPY, &copy);
}

/* The id of the child goes to such a page. */
static int clone_to_missing_page(void *arg)
{
	struct birth *b = arg;
	pid_t pid;

	if (missing_page(b))
		return 1;
	frz_inc(&b->ready);
	pid = syscall(SYS_clone, CLONE_PARENT_SETTID | SIGCHLD, NULL, b->page,
		      NULL, NULL);
	if (!pid) {
		frz_inc(&b->ran);
		return frz_sleep(NULL);
	}
	return frz_sleep(NULL);
}

/*
 * A child has been added to the group, and its parent is asleep before it has started
 * the child. Nothing of that keeps the group from FROZEN (C8), and the child first
 * runs after the thaw.
 */
FREEZER_TEST(child_that_is_not_started)
{
	struct birth *b = frz_shared(sizeof(*b));
	pid_t pid, list[4];
	int pidfd, uffd;

	ASSERT_NE(NULL, b);
	pid = ASSERT_PID(frz_spawn(self->cg, clone_to_missing_page, b));
	ASSERT_EQ(0, frz_wait_word(&b->ready, 1, FRZ_LIMIT));
	ASSERT_TRUE(frz_until(frz_list(self->cg, "tasks", list, 4) == 2,
			      FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);

	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	uffd = syscall(SYS_pidfd_getfd, pidfd, (int)b->uffd, 0);
	ASSERT_LE(0, uffd);
	ASSERT_EQ(0, fill_page(b, uffd));
	EXPECT_STANDS(&b->ran);
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&b->ran, 1, FRZ_LIMIT));
	close(uffd);
	close(pidfd);
}

/* The number of a pidfd goes to such a page, in the middle of clone(). */
static int first_clone_to_missing_page(void *arg)
{
	struct birth *b = arg;
	pid_t pid;

	if (unshare(CLONE_NEWPID) || missing_page(b))
		return 1;
	frz_inc(&b->ready);
	pid = syscall(SYS_clone, CLONE_PIDFD | SIGCHLD, NULL, b->page, NULL, NULL);
	if (!pid) {
		frz_inc(&b->ran);
		return frz_sleep(NULL);
	}
	return pid < 0 ? 2 : frz_sleep(NULL);
}

/*
 * C8, C13: the first fork into a pid namespace sleeps for as long as somebody likes who
 * has no rights. That does not keep the group from FROZEN. When the sleep is over the
 * fork waits for the thaw, and then succeeds: the namespace is as it was.
 */
FREEZER_TEST(first_fork_asleep_in_kernel)
{
	struct birth *b = frz_shared(sizeof(*b));
	struct pollfd pfd = { .events = POLLIN };
	pid_t pid, list[4];
	int pidfd;

	ASSERT_NE(NULL, b);
	pid = ASSERT_PID(frz_spawn(self->cg, first_clone_to_missing_page, b));
	ASSERT_EQ(0, frz_wait_word(&b->ready, 1, FRZ_LIMIT)) {
		TH_LOG("status %#x", frz_wait_exit(pid, 0));
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	ASSERT_LE(0, pidfd);
	pfd.fd = syscall(SYS_pidfd_getfd, pidfd, (int)b->uffd, 0);
	ASSERT_LE(0, pfd.fd);
	ASSERT_EQ(1, poll(&pfd, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));
	ASSERT_FREEZES(self->cg);

	ASSERT_EQ(0, fill_page(b, pfd.fd));
	EXPECT_STANDS(&b->ran);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(1, frz_list(self->cg, "tasks", list, 4));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&b->ran, 1, FRZ_LIMIT)) {
		TH_LOG("status %#x", frz_wait_exit(pid, 0));
	}
	close(pfd.fd);
	close(pidfd);
}

TEST_HARNESS_MAIN
