// SPDX-License-Identifier: GPL-2.0
/*
 * The checkpoint guard: who has it, what it keeps others from, and how it is
 * given back. checkpoint_picture_test is about what stands still.
 *
 *	cg
 *	 `- job		where a test says so
 *	     `- part
 *
 * Clauses: C7, C11, C12, C15.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/suspend_ioctls.h>
#include <poll.h>
#include <sched.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"
#include "syscalls.h"

/*
 * The state is CHECKPOINTING from the open to the close, and FROZEN before and
 * after. The holder reads "consistent"; others read whether there is a holder.
 * It is no completed freeze: the generation stays as it is.
 */
FREEZER_TEST(open_and_close)
{
	unsigned long *word = ASSERT_WORDS(1);
	int64_t generation;
	int fd;

	ASSERT_SPINNER(self->cg, word);
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");
	ASSERT_FREEZES(self->cg);
	generation = frz_stat(self->cg, "generation");
	fd = ASSERT_GUARD(self->cg);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	EXPECT_FILE(self->cg, "freezer.checkpoint", "held");
	EXPECT_STANDS(word);
	EXPECT_EQ(0, close(fd));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");
	EXPECT_EQ(generation, frz_stat(self->cg, "generation"));
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

/* Nothing can be written to the file; to open it for reading takes nothing. */
FREEZER_TEST(only_an_open_for_writing)
{
	char path[FRZ_PATH_MAX + 64];
	int fd, own;

	guard_path(path, self->cg);
	ASSERT_FREEZES(self->cg);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STREQ("free", guard_verdict(fd));
	own = ASSERT_GUARD(self->cg);
	EXPECT_STREQ("held", guard_verdict(fd));
	EXPECT_EQ(-1, write(own, "1", 1));
	EXPECT_EQ(EINVAL, errno);
	close(own);
	close(fd);
	own = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	EXPECT_LE(0, own);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	close(own);
	EXPECT_STATE(self->cg, "FROZEN");
}

/* Only a FROZEN cgroup: THAWED and FREEZING are EBUSY and stay what they are. */
FREEZER_TEST(only_from_frozen)
{
	struct frz_busy *busy = frz_busy_new(3000);

	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_STATE(self->cg, "THAWED");
	ASSERT_BUSY(self->cg, busy);
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	ASSERT_STATE(self->cg, "FREEZING");
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_STATE(self->cg, "FREEZING");
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");
}

/*
 * One holder (C11): another open is EBUSY, also of a cgroup above or below. Two
 * that have nothing to do with each other can be held at the same time. Below,
 * the state goes on to be FROZEN.
 */
FREEZER_TEST(one_holder)
{
	char job[FRZ_PATH_MAX], part[FRZ_PATH_MAX], other[FRZ_PATH_MAX];
	int fd, more;

	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	ASSERT_EQ(0, frz_create(part, job, "part"));
	ASSERT_EQ(0, frz_create(other, self->cg, "other"));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(job);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_STATE(part, "FROZEN");
	EXPECT_FILE(self->cg, "freezer.checkpoint", "held");
	EXPECT_FILE(part, "freezer.checkpoint", "held");
	EXPECT_FILE(other, "freezer.checkpoint", "free");
	EXPECT_EQ(-EBUSY, guard_open(job));
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_EQ(-EBUSY, guard_open(part));
	more = ASSERT_GUARD(other);
	EXPECT_STATE(other, "CHECKPOINTING");
	close(fd);
	EXPECT_STATE(job, "FROZEN");
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	fd = ASSERT_GUARD(part);
	close(fd);
	close(more);
	fd = ASSERT_GUARD(self->cg);
	close(fd);
}

/*
 * Of the requests for a guarded cgroup, and for those around it, the ones that
 * would end its freeze are EBUSY and change nothing; all others do what they
 * always do.
 *
 *	cg		asked to freeze
 *	 |- job		guarded
 *	 |   `- part
 *	 `- other
 */
FREEZER_TEST(requests)
{
	char job[FRZ_PATH_MAX], part[FRZ_PATH_MAX], other[FRZ_PATH_MAX];
	int fd;

	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	ASSERT_EQ(0, frz_create(part, job, "part"));
	ASSERT_EQ(0, frz_create(other, self->cg, "other"));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(job);

	/* by the parent alone: its request must not go */
	EXPECT_EQ(-EBUSY, frz_write(self->cg, "freezer.state", "THAWED"));
	EXPECT_EQ(-EBUSY,
		  frz_write_nonblock(self->cg, "freezer.state", "THAWED"));
	EXPECT_FILE(self->cg, "freezer.self_freezing", "1");
	EXPECT_STATE(self->cg, "FROZEN");
	/* these take nothing away */
	EXPECT_EQ(0, frz_write(job, "freezer.state", "THAWED"));
	EXPECT_EQ(0, frz_write(part, "freezer.state", "THAWED"));
	EXPECT_EQ(0, frz_write(other, "freezer.state", "THAWED"));
	EXPECT_EQ(-EINVAL, frz_write(job, "freezer.state", "CHECKPOINTING"));
	EXPECT_EQ(-EINVAL, frz_write(job, "freezer.state", "FREEZING"));
	EXPECT_STATE(job, "CHECKPOINTING");

	/* by both: one of them may go */
	EXPECT_EQ(0, frz_write(job, "freezer.state", "FROZEN"));
	EXPECT_EQ(0, frz_write(part, "freezer.state", "FROZEN"));
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_EQ(0, frz_write(self->cg, "freezer.state", "THAWED"));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_STATE(other, "THAWED");
	EXPECT_STATE(job, "CHECKPOINTING");

	/* by itself alone */
	EXPECT_EQ(-EBUSY, frz_write(job, "freezer.state", "THAWED"));
	EXPECT_FILE(job, "freezer.self_freezing", "1");
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_EQ(0, frz_write(part, "freezer.state", "THAWED"));
	EXPECT_STATE(part, "FROZEN");
	EXPECT_EQ(0, frz_write(self->cg, "freezer.state", "FROZEN"));
	EXPECT_STATE(self->cg, "FROZEN");

	close(fd);
	EXPECT_STATE(job, "FROZEN");
	EXPECT_EQ(0, frz_write(job, "freezer.state", "THAWED"));
	EXPECT_STATE(job, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_STATE(job, "THAWED");
}

/*
 * No process and no thread comes into the subtree, leaves it, or goes from one
 * cgroup of it to another; elsewhere tasks are moved as before.
 */
FREEZER_TEST(attach)
{
	char job[FRZ_PATH_MAX], part[FRZ_PATH_MAX], other[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(2);
	pid_t in, out;
	int fd;

	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	ASSERT_EQ(0, frz_create(part, job, "part"));
	ASSERT_EQ(0, frz_create(other, self->cg, "other"));
	in = ASSERT_SPINNER(part, &word[0]);
	out = ASSERT_SPINNER(other, &word[1]);
	ASSERT_FREEZES(job);
	fd = ASSERT_GUARD(job);
	EXPECT_EQ(-EBUSY, frz_move_process(other, in));
	EXPECT_EQ(-EBUSY, frz_move_thread(frz_root(), in));
	EXPECT_EQ(-EBUSY, frz_move_process(job, in));
	EXPECT_EQ(-EBUSY, frz_move_process(job, out));
	EXPECT_EQ(-EBUSY, frz_move_thread(part, out));
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_STANDS(&word[0]);
	EXPECT_RUNS(&word[1]);
	EXPECT_EQ(0, frz_move_process(self->cg, out));
	EXPECT_RUNS(&word[1]);
	close(fd);
	EXPECT_EQ(0, frz_move_process(job, out));
	ASSERT_BECOMES(job, "FROZEN");
	EXPECT_STANDS(&word[1]);
	EXPECT_EQ(0, frz_move_process(other, in));
	EXPECT_RUNS(&word[0]);
}

/*
 * Cgroups can be made below, and are FROZEN; empty ones can be removed, except
 * that the guarded one itself has a child.
 */
FREEZER_TEST(children_come_and_go)
{
	char job[FRZ_PATH_MAX], part[FRZ_PATH_MAX], more[FRZ_PATH_MAX];
	int fd;

	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	ASSERT_EQ(0, frz_create(part, job, "part"));
	ASSERT_FREEZES(job);
	fd = ASSERT_GUARD(job);
	ASSERT_EQ(0, frz_create(more, job, "more"));
	EXPECT_STATE(more, "FROZEN");
	EXPECT_EQ(-EBUSY, guard_open(more));
	EXPECT_EQ(0, rmdir(part));
	EXPECT_EQ(0, rmdir(more));
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));

	/* the guarded one, with the file open: the guard goes with it */
	EXPECT_EQ(0, rmdir(job));
	EXPECT_STREQ("No such device", guard_verdict(fd));
	EXPECT_FILE(self->cg, "freezer.checkpoint", "free");
	close(fd);
	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	close(fd);
}

/* A dup() keeps the guard until the last descriptor is closed. */
FREEZER_TEST(dup_keeps_it)
{
	int fd, copy;

	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	copy = dup(fd);
	ASSERT_LE(0, copy);
	close(fd);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	EXPECT_STREQ("consistent", guard_verdict(copy));
	close(copy);
	EXPECT_STATE(self->cg, "FROZEN");
}

/* So does a child that has inherited it, until it dies, by SIGKILL at that. */
FREEZER_TEST(fork_keeps_it)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;
	int fd;

	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	pid = ASSERT_SLEEPER(NULL, word);
	close(fd);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_EQ(-EBUSY, frz_thaw(self->cg));
	ASSERT_EQ(0, kill(pid, SIGKILL));
	ASSERT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
}

/* An exec keeps it, as in "exec 9> freezer.checkpoint" of a shell, or not. */
FREEZER_TEST(exec_keeps_it)
{
	char path[FRZ_PATH_MAX + 64], ch;
	int out[2], in[2];
	pid_t pid;

	guard_path(path, self->cg);
	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, pipe(out));
	ASSERT_EQ(0, pipe(in));
	pid = fork();
	if (!pid) {
		close(out[0]);
		close(in[1]);
		dup2(in[0], 0);
		dup2(out[1], 1);
		execl("/bin/sh", "sh", "-c",
		      "exec 9> \"$0\" && echo && read x && exec 9>&- && echo && read x",
		      path, NULL);
		_exit(127);
	}
	ASSERT_LT(0, pid);
	close(out[1]);
	close(in[0]);
	ASSERT_EQ(1, read(out[0], &ch, 1));
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_EQ(-EBUSY, guard_open(self->cg));
	ASSERT_EQ(1, write(in[1], "\n", 1));
	ASSERT_EQ(1, read(out[0], &ch, 1));
	EXPECT_STATE(self->cg, "FROZEN");
	close(in[1]);
	close(out[0]);
	EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
}

/*
 * Passed through a socket it is kept by the message alone, and by whoever takes
 * it from there; a message that is thrown away gives it back.
 */
FREEZER_TEST(passing_keeps_it)
{
	int sv[2], fd;

	ASSERT_FREEZES(self->cg);
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_DGRAM, 0, sv));
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(0, frz_send_fd(sv[0], fd));
	close(fd);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	fd = frz_receive_fd(sv[1], 0);
	ASSERT_LE(0, fd);
	EXPECT_STREQ("consistent", guard_verdict(fd));
	EXPECT_EQ(-EBUSY, frz_thaw(self->cg));
	ASSERT_EQ(0, frz_send_fd(sv[0], fd));
	close(fd);
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	close(sv[0]);
	close(sv[1]);
	ASSERT_BECOMES(self->cg, "FROZEN");
	fd = ASSERT_GUARD(self->cg);
	close(fd);
}

static int hold(void *arg)
{
	struct holder *h = arg;
	int fd = guard_open(h->path);

	frz_store(&h->word, fd < 0 ? -fd : 1000);
	return frz_sleep(NULL);
}

/* A holder that dies gives it back. */
FREEZER_TEST(kill_gives_it_back)
{
	struct holder *h = frz_shared(sizeof(*h));
	int fd, i;

	ASSERT_NE(NULL, h);
	snprintf(h->path, sizeof(h->path), "%s", self->cg);
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < 5; i++) {
		pid_t pid;

		frz_store(&h->word, 0);
		pid = ASSERT_PID(frz_spawn(NULL, hold, h));
		ASSERT_EQ(0, frz_wait_word(&h->word, 1, FRZ_LIMIT));
		ASSERT_EQ(1000, frz_load(&h->word));
		EXPECT_STATE(self->cg, "CHECKPOINTING");
		EXPECT_EQ(-EBUSY, guard_open(self->cg));
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
		ASSERT_STATE(self->cg, "FROZEN");
	}
	fd = ASSERT_GUARD(self->cg);
	close(fd);
}

static int share_files(void *arg)
{
	struct holder *h = arg;
	pid_t pid;

	pid = frz_clone(CLONE_FILES | SIGCHLD);
	if (!pid)
		return frz_sleep(NULL);
	h->pid = pid;
	frz_store(&h->word, 1);
	frz_wait_word(&h->word, 2, FRZ_LIMIT);
	h->result = guard_open(h->path);
	frz_store(&h->word, 3);
	return frz_sleep(NULL);
}

/*
 * A process that shares its table of open files with a task of the group would
 * not give the guard back by its death, and then nobody could: EBUSY at once.
 */
FREEZER_TEST(not_with_shared_files)
{
	struct holder *h = frz_shared(sizeof(*h));
	int64_t begin;
	int fd;

	ASSERT_NE(NULL, h);
	snprintf(h->path, sizeof(h->path), "%s", self->cg);
	ASSERT_PID(frz_spawn(NULL, share_files, h));
	ASSERT_EQ(0, frz_wait_word(&h->word, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_process(self->cg, h->pid));
	ASSERT_FREEZES(self->cg);
	begin = frz_now_ns();
	frz_store(&h->word, 2);
	ASSERT_EQ(0, frz_wait_word(&h->word, 3, FRZ_LIMIT));
	EXPECT_EQ(-EBUSY, h->result);
	EXPECT_GT(FRZ_AT_ONCE, (frz_now_ns() - begin) / 1000000);
	EXPECT_STATE(self->cg, "FROZEN");
	fd = ASSERT_GUARD(self->cg);
	close(fd);
}

/*
 * Two at the same time: of two openers exactly one gets it, in each of many
 * rounds, and it is free when both have closed.
 */
FREEZER_TEST(two_openers)
{
	struct holder *h = frz_shared(2 * sizeof(*h));
	unsigned long *word = ASSERT_WORDS(1);
	int i, n;

	ASSERT_NE(NULL, h);
	ASSERT_SPINNER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < 20; i++) {
		pid_t pid[2];

		for (n = 0; n < 2; n++) {
			snprintf(h[n].path, sizeof(h[n].path), "%s", self->cg);
			frz_store(&h[n].word, 0);
			pid[n] = ASSERT_PID(frz_spawn(NULL, hold, &h[n]));
		}
		for (n = 0; n < 2; n++)
			ASSERT_EQ(0, frz_wait_word(&h[n].word, 1, FRZ_LIMIT));
		EXPECT_EQ(1000 + EBUSY,
			  frz_load(&h[0].word) + frz_load(&h[1].word));
		for (n = 0; n < 2; n++) {
			kill(pid[n], SIGKILL);
			ASSERT_EQ(SIGKILL, frz_wait_exit(pid[n], FRZ_LIMIT));
		}
		ASSERT_STATE(self->cg, "FROZEN");
	}
}

/*
 * Both changes are announced on freezer.state (C7), and the time is counted as
 * frozen.
 */
FREEZER_TEST(events_and_times)
{
	int64_t frozen;
	int fd, arm;

	ASSERT_FREEZES(self->cg);
	arm = frz_arm(self->cg);
	ASSERT_LE(0, arm);
	fd = ASSERT_GUARD(self->cg);
	EXPECT_EQ(0, frz_wait_event(arm, FRZ_AT_ONCE));
	frozen = frz_stat(self->cg, "frozen_usec");
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_LE(frozen + FRZ_WATCH * 1000,
		  frz_stat(self->cg, "frozen_usec"));
	close(fd);
	EXPECT_EQ(0, frz_wait_event(arm, FRZ_AT_ONCE));
	EXPECT_LE(frozen + FRZ_WATCH * 1000,
		  frz_stat(self->cg, "frozen_usec"));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_freezes"));
	EXPECT_EQ(1, frz_stat(self->cg, "generation"));
	close(arm);
}

/*
 * The functions for checkpoint code in the kernel, called through the module
 * test_cgroup_freezer: as the file, with the same state and the same holder.
 */

static int kernel_checkpoint(const char *what, pid_t pid)
{
	char cmd[32];

	snprintf(cmd, sizeof(cmd), "%s %d", what, pid);
	return frz_write("/sys/kernel/debug", "test_cgroup_freezer", cmd);
}

FREEZER_TEST(kernel_begin_and_end)
{
	char job[FRZ_PATH_MAX], part[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid, sleeper;
	int i, fd;

	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	ASSERT_EQ(0, frz_create(part, job, "part"));
	pid = ASSERT_SPINNER(job, &word[0]);
	sleeper = ASSERT_SLEEPER(part, &word[1]);

	/* not frozen; in no cgroup that can be */
	EXPECT_EQ(-EBUSY, kernel_checkpoint("begin", pid));
	EXPECT_EQ(-ENODEV, kernel_checkpoint("begin", getpid()));
	EXPECT_STATE(job, "THAWED");

	ASSERT_FREEZES(job);
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, kernel_checkpoint("begin", pid));
		EXPECT_STATE(job, "CHECKPOINTING");
		EXPECT_FILE(job, "freezer.checkpoint", "held");
		/* held already, by itself, from below, and against the file */
		EXPECT_EQ(-EBUSY, kernel_checkpoint("begin", pid));
		EXPECT_EQ(-EBUSY, kernel_checkpoint("begin", sleeper));
		EXPECT_EQ(-EBUSY, guard_open(job));
		EXPECT_EQ(-EBUSY, guard_open(self->cg));
		EXPECT_EQ(-EBUSY, frz_thaw(job));
		EXPECT_EQ(-EBUSY, frz_move_process(frz_root(), pid));
		EXPECT_STANDS(&word[0]);
		ASSERT_EQ(0, kernel_checkpoint("end", pid));
		EXPECT_STATE(job, "FROZEN");
		EXPECT_FILE(job, "freezer.checkpoint", "free");
	}
	fd = ASSERT_GUARD(job);
	EXPECT_EQ(-EBUSY, kernel_checkpoint("begin", pid));
	close(fd);
	/* of the child alone, frozen by its parent */
	ASSERT_EQ(0, kernel_checkpoint("begin", sleeper));
	EXPECT_STATE(part, "CHECKPOINTING");
	EXPECT_STATE(job, "FROZEN");
	ASSERT_EQ(0, kernel_checkpoint("end", sleeper));
	ASSERT_THAWS(job);
	EXPECT_RUNS(&word[0]);
}

/*
 * A kernel without the freezer has the two functions as well, for code that does
 * not want to know: EOPNOTSUPP. With it, a task of the root cgroup is ENODEV, and
 * a task that is not there never comes to them.
 */
TEST(with_and_without_the_option)
{
	bool without = frz_setup() == -ENODEV;

	EXPECT_EQ(without ? -EOPNOTSUPP : -ENODEV,
		  kernel_checkpoint("begin", getpid()));
	EXPECT_EQ(-ESRCH, kernel_checkpoint("begin", 999999));
	if (without)
		EXPECT_EQ(0, kernel_checkpoint("end", getpid()));
}

struct inner_holder {
	char path[FRZ_PATH_MAX];
	unsigned long word;
	unsigned long spins;
	unsigned long give_back;
};

/* Take the guard, count up until told to give it back. */
static int hold_and_spin(void *arg)
{
	struct inner_holder *h = arg;
	int fd = guard_open(h->path);

	frz_store(&h->word, fd < 0 ? -fd : 1000);
	while (!frz_load(&h->give_back))
		frz_inc(&h->spins);
	close(fd);
	frz_store(&h->word, 2000);
	return frz_sleep(NULL);
}

/*
 * The holder of a guard is frozen itself, by a cgroup above.
 *
 *	cg		frozen after the guard was taken; the holder
 *	 `- job		frozen by itself, guarded
 *
 * The guard was taken on the request of job, so that THAWED of job is EBUSY while
 * it is held, also while cg asks for the same. So THAWED of cg works at any time:
 * the holder goes on, gives the guard back, and job can be thawed. If job's
 * request could go first, THAWED of cg would be EBUSY from then on, because of a
 * guard that nobody can give back.
 */
FREEZER_TEST(holder_is_frozen_above)
{
	struct inner_holder *h = frz_shared(sizeof(*h));
	unsigned long *word = ASSERT_WORDS(1);
	char job[FRZ_PATH_MAX];
	int err;

	ASSERT_NE(NULL, h);
	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	snprintf(h->path, sizeof(h->path), "%s", job);
	ASSERT_SPINNER(job, word);
	ASSERT_FREEZES(job);
	ASSERT_PID(frz_spawn(self->cg, hold_and_spin, h));
	ASSERT_EQ(0, frz_wait_word(&h->word, 1, FRZ_LIMIT));
	ASSERT_EQ(1000, frz_load(&h->word));
	ASSERT_EQ(0, frz_wait_move(&h->spins, FRZ_LIMIT));

	ASSERT_FREEZES(self->cg);
	EXPECT_STANDS(&h->spins);
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_EQ(-EBUSY, frz_write(job, "freezer.state", "THAWED"));
	EXPECT_FILE(job, "freezer.self_freezing", "1");
	EXPECT_STATE(job, "CHECKPOINTING");
	err = frz_write(self->cg, "freezer.state", "THAWED");
	EXPECT_EQ(0, err) {
		TH_LOG("the holder cannot be thawed: %s",
		       frz_describe(self->cg));
	}
	if (err) {
		/* a way out, for what comes after this test */
		frz_write_nonblock(job, "freezer.state", "FROZEN");
		frz_thaw(self->cg);
	}
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_EQ(0, frz_wait_move(&h->spins, FRZ_AT_ONCE));
	EXPECT_STANDS(word);

	frz_store(&h->give_back, 1);
	EXPECT_EQ(0, frz_wait_word(&h->word, 2000, FRZ_AT_ONCE));
	EXPECT_STATE(job, "FROZEN");
	ASSERT_THAWS(job);
	EXPECT_RUNS(word);
}

/*
 * A process that freezes the rest of the system
 */

struct suspender {
	char cg[FRZ_PATH_MAX];
	unsigned long ready;
	unsigned long listener;		/* a descriptor of it */
	unsigned long alone;		/* was in user mode meanwhile */
	unsigned long told;		/* what it has read then */
	unsigned long done;
	long failed;
	char state[64];			/* of cg, as read meanwhile */
	char blockers[256];
};

/* Where the low half of an argument is. */
#define LOW_WORD	(__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 4 : 0)

/* Have SNAPSHOT_FREEZE wait, before it does anything, until a supervisor says. */
static int filter_snapshot(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, args[1]) + LOW_WORD),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SNAPSHOT_FREEZE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {
		.len = ARRAY_SIZE(code),
		.filter = code,
	};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	/* once its notice is taken the sleep is for no signal but a fatal one */
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		       SECCOMP_FILTER_FLAG_NEW_LISTENER |
		       SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, &prog);
}

static int snapshoot(void *arg)
{
	int fd = open("/dev/snapshot", O_RDONLY | O_CLOEXEC), i;
	int listener = filter_snapshot();
	struct suspender *s = arg;

	if (fd < 0 || listener < 0) {
		s->failed = errno;
		return 1;
	}
	frz_store(&s->listener, listener);
	frz_inc(&s->ready);
	if (ioctl(fd, SNAPSHOT_FREEZE, 0)) {
		s->failed = errno;
	} else {
		for (i = 0; i < 1000; i++)
			frz_inc(&s->alone);
		frz_read(s->cg, "freezer.state", s->state, sizeof(s->state));
		frz_read(s->cg, "freezer.blockers", s->blockers,
			 sizeof(s->blockers));
		frz_inc(&s->told);
		if (ioctl(fd, SNAPSHOT_UNFREEZE, 0))
			s->failed = errno;
	}
	frz_inc(&s->done);
	return frz_sleep(NULL);
}

/* Start it, and see it held before its ioctl begins: its listener, or -errno. */
static int suspender_begin(struct suspender *s, const char *cg, uint64_t *id)
{
	struct pollfd pfd = { .events = POLLIN };
	struct seccomp_notif notice = {};
	pid_t pid;
	int pidfd;

	snprintf(s->cg, sizeof(s->cg), "%s", cg);
	pid = frz_spawn(cg, snapshoot, s);
	if (pid < 0)
		return pid;
	if (frz_wait_word(&s->ready, 1, FRZ_LIMIT))
		return s->failed ? -s->failed : -ETIMEDOUT;
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	pfd.fd = syscall(SYS_pidfd_getfd, pidfd, (int)s->listener, 0);
	if (pfd.fd < 0)
		return -errno;
	close(pidfd);
	if (poll(&pfd, 1, FRZ_LIMIT) != 1)
		return -ETIMEDOUT;
	if (ioctl(pfd.fd, SECCOMP_IOCTL_NOTIF_RECV, &notice))
		return -errno;
	*id = notice.id;
	return pfd.fd;
}

static int suspender_go(int listener, uint64_t id)
{
	struct seccomp_notif_resp resp = {
		.id = id,
		.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE,
	};

	return ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) ? -errno : 0;
}

FIXTURE(suspender) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(suspender) {
	bool guard;
	bool wait;		/* the attempt is under way, or has failed */
};

FIXTURE_VARIANT_ADD(suspender, alone) { .guard = false };
FIXTURE_VARIANT_ADD(suspender, guard_failed) { .guard = true };
FIXTURE_VARIANT_ADD(suspender, guard_waits) { .guard = true, .wait = true };

FIXTURE_SETUP(suspender)
{
	FRZ_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(suspender)
{
	FRZ_GROUP_END(self->cg);
}

/*
 *	cg	a process on its way to freeze the system by /dev/snapshot, which
 *		will be in user mode then, since nobody else could thaw the system
 *
 * It is asleep in its system call, cg is FROZEN. Somebody tries to get the
 * guard, and has failed, since this sleep cannot be ended, or is still waiting.
 * The process goes on, freezes the system, and reads the state of its cgroup,
 * which is FREEZING while it runs, with itself as the blocker. When it has
 * thawed the system it comes to rest: FROZEN again (C12), and the guard can be
 * had.
 *
 * A failure is a task that runs in a FROZEN cgroup, since it was on the account of
 * the guard, and so was not put on that of the cgroup.
 */
TEST_F_TIMEOUT(suspender, is_busy, 90)
{
	struct suspender *s = frz_shared(sizeof(*s));
	struct holder *h = frz_shared(sizeof(*h));
	int listener, fd;
	pid_t holder = 0;
	uint64_t id;

	ASSERT_NE(NULL, s);
	ASSERT_NE(NULL, h);
	listener = suspender_begin(s, self->cg, &id);
	ASSERT_LE(0, listener) {
		TH_LOG("%s", strerror(-listener));
	}
	ASSERT_FREEZES(self->cg);
	snprintf(h->path, sizeof(h->path), "%s", self->cg);
	if (variant->wait) {
		holder = ASSERT_PID(frz_spawn(NULL, hold, h));
		EXPECT_BECOMES_FILE(self->cg, "freezer.checkpoint", "held");
		EXPECT_TRUE(frz_until(frz_blockers(self->cg), FRZ_LIMIT));
	} else if (variant->guard) {
		EXPECT_EQ(-EBUSY, guard_open_flags(self->cg, O_NONBLOCK));
	}
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(0, frz_load(&h->word));

	ASSERT_EQ(0, suspender_go(listener, id));
	EXPECT_EQ(0, frz_wait_word(&s->told, 1, FRZ_LIMIT)) {
		TH_LOG("%s", strerror(s->failed));
	}
	EXPECT_EQ(1000, frz_load(&s->alone));
	EXPECT_STREQ("FREEZING", s->state);
	EXPECT_STRNE("", s->blockers);
	if (holder) {
		/* its open is restarted, and may come too early for FROZEN */
		EXPECT_EQ(0, frz_wait_word(&h->word, 1, FRZ_LIMIT));
		if (frz_load(&h->word) != EBUSY)
			EXPECT_EQ(1000, frz_load(&h->word));
		kill(holder, SIGKILL);
		EXPECT_EQ(SIGKILL, frz_wait_exit(holder, FRZ_LIMIT));
	}
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_EQ(0, frz_load(&s->done));
	fd = ASSERT_GUARD(self->cg);
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, frz_wait_word(&s->done, 1, FRZ_LIMIT));
	close(listener);
}

/* The permissions of the file decide (C15), as for freezer.state. */
FREEZER_TEST(permissions)
{
	char path[FRZ_PATH_MAX + 64];
	struct stat state, guard;

	guard_path(path, self->cg);
	ASSERT_EQ(0, stat(path, &guard));
	snprintf(path, sizeof(path), "%s/freezer.state", self->cg);
	ASSERT_EQ(0, stat(path, &state));
	EXPECT_EQ(state.st_mode, guard.st_mode);
	guard_path(path, frz_root());
	EXPECT_EQ(-1, access(path, F_OK));
}

TEST_HARNESS_MAIN
