// SPDX-License-Identifier: GPL-2.0
/*
 * Under the checkpoint guard nothing moves: two pictures of a group are the same,
 * whatever it did before, and whatever it is sent, killed or suspended by.
 *
 * Clauses: C9, C11, C12.
 */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"

struct disk_reader {
	unsigned long done;
	int error;
};

/* Reads blocks of a disk, past the cache, for ever. */
static int read_disk(void *arg)
{
	struct disk_reader *c = arg;
	unsigned int n = 0;
	void *buf;
	int fd;

	if (posix_memalign(&buf, 4096, 65536))
		return 1;
	fd = open("/dev/vda", O_RDONLY | O_DIRECT | O_CLOEXEC);
	if (fd < 0)
		return 2;
	for (;;) {
		n = n * 1103515245 + 12345;
		if (pread(fd, buf, 65536, (n >> 8) % 64 * 65536) < 0) {
			c->error = errno;
			return 3;
		}
		frz_inc(&c->done);
	}
	return 0;
}

/*
 * A task in the middle of a disk read finishes it and stops: the guard is
 * granted each time (C11), and no read has failed in the end.
 */
FREEZER_TEST(disk_io)
{
	struct disk_reader *c = frz_shared(sizeof(*c));
	pid_t pid;
	int i, fd;

	ASSERT_NE(NULL, c);
	pid = ASSERT_PID(frz_spawn(self->cg, read_disk, c));
	ASSERT_EQ(0, frz_wait_word(&c->done, 3, FRZ_LIMIT)) {
		TH_LOG("no disk? status %#x", frz_wait_exit(pid, 0));
	}
	for (i = 0; i < 20; i++) {
		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		EXPECT_EQ(0, not_quiescent(self->cg));
		EXPECT_EQ(0, frz_moved(&c->done, 2));
		close(fd);
		ASSERT_THAWS(self->cg);
		ASSERT_EQ(0, frz_wait_move(&c->done, FRZ_LIMIT));
	}
	EXPECT_EQ(0, c->error);
}

struct busy_group {
	unsigned long counter;
	unsigned long alarms;
	unsigned long forks;
	int pipe[2];
	int sock[2];
	int file;
};

static struct busy_group *busy_group;

static void on_alarm(int sig)
{
	frz_inc(&busy_group->alarms);
}

static int writer(void *arg)
{
	struct busy_group *g = arg;
	char buf[97] = {};

	for (;;) {
		if (write(g->pipe[1], buf, sizeof(buf)) < 0 ||
		    send(g->sock[1], buf, sizeof(buf), 0) < 0)
			return 1;
		frz_inc(&g->counter);
	}
	return 0;
}

static int reader(void *arg)
{
	struct busy_group *g = arg;
	char buf[61];

	for (;;) {
		if (read(g->pipe[0], buf, sizeof(buf)) < 0 ||
		    recv(g->sock[0], buf, sizeof(buf), 0) < 0 ||
		    write(g->file, buf, sizeof(buf)) < 0)
			return 1;
		lseek(g->file, lseek(g->file, 0, SEEK_CUR) % 65536, SEEK_SET);
	}
	return 0;
}

static int forker(void *arg)
{
	struct itimerval it = {
		.it_value = { .tv_usec = 2000 },
		.it_interval = { .tv_usec = 2000 },
	};
	pid_t pid;

	busy_group = arg;
	signal(SIGALRM, on_alarm);
	setitimer(ITIMER_REAL, &it, NULL);
	for (;;) {
		pid = fork();
		if (!pid)
			_exit(0);
		while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
			;
		frz_inc(&busy_group->forks);
	}
	return 0;
}

struct picture {
	unsigned long counter;
	unsigned long alarms;
	unsigned long forks;
	int in_pipe;
	int in_socket;
	long offset;
	int nr_tasks;
	pid_t tasks[64];
	char status[64][256];
};

/* The lines of /proc/<tid>/status that tell what a task has done. */
static void read_status(pid_t tid, char *out, size_t size)
{
	char name[64], line[256];
	FILE *f;

	out[0] = 0;
	snprintf(name, sizeof(name), "/proc/%d/status", tid);
	f = fopen(name, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, "voluntary_ctxt", 14) ||
		    !strncmp(line, "VmRSS", 5) ||
		    !strncmp(line, "Threads", 7) ||
		    !strncmp(line, "SigPnd", 6) || !strncmp(line, "SigBlk", 6))
			strncat(out, line, size - strlen(out) - 1);
	fclose(f);
}

static void take_picture(struct picture *pic, const char *cg,
			 struct busy_group *g)
{
	int i;

	memset(pic, 0, sizeof(*pic));
	pic->counter = frz_load(&g->counter);
	pic->alarms = frz_load(&g->alarms);
	pic->forks = frz_load(&g->forks);
	ioctl(g->pipe[0], FIONREAD, &pic->in_pipe);
	ioctl(g->sock[0], FIONREAD, &pic->in_socket);
	pic->offset = lseek(g->file, 0, SEEK_CUR);
	pic->nr_tasks = frz_list(cg, "tasks", pic->tasks, 64);
	for (i = 0; i < pic->nr_tasks; i++)
		read_status(pic->tasks[i], pic->status[i],
			    sizeof(pic->status[i]));
}

/*
 * A group that writes and reads pipes, sockets and a file, takes signals of a
 * timer and forks, in thirty checkpoints: two pictures of each show the same
 * memory, the same file offset, as many bytes in the queues, no handler run, the
 * same tasks, and none of them has moved or got a signal of another.
 */
FREEZER_TEST(nothing_moves)
{
	struct busy_group *g = frz_shared(sizeof(*g));
	struct picture *a = frz_shared(2 * sizeof(*a)), *b = a + 1;
	int i, n, fd;

	ASSERT_NE(NULL, g);
	ASSERT_NE(NULL, a);
	ASSERT_EQ(0, pipe(g->pipe));
	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, g->sock));
	g->file = open("/tmp", O_TMPFILE | O_RDWR, 0600);
	ASSERT_LE(0, g->file);
	ASSERT_PID(frz_spawn(self->cg, writer, g));
	ASSERT_PID(frz_spawn(self->cg, reader, g));
	ASSERT_PID(frz_spawn(self->cg, forker, g));
	for (i = 0; i < 30; i++) {
		unsigned long forks = frz_load(&g->forks);

		ASSERT_EQ(0, frz_wait_move(&g->counter, FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_word(&g->forks, forks + 1, FRZ_LIMIT));
		ASSERT_FREEZES(self->cg);
		fd = ASSERT_GUARD(self->cg);
		take_picture(a, self->cg, g);
		frz_sleep_ms(5);
		take_picture(b, self->cg, g);
		EXPECT_EQ(a->counter, b->counter);
		EXPECT_EQ(a->alarms, b->alarms);
		EXPECT_EQ(a->forks, b->forks);
		EXPECT_EQ(a->in_pipe, b->in_pipe);
		EXPECT_EQ(a->in_socket, b->in_socket);
		EXPECT_EQ(a->offset, b->offset);
		ASSERT_EQ(a->nr_tasks, b->nr_tasks);
		EXPECT_LE(3, a->nr_tasks);
		for (n = 0; n < a->nr_tasks; n++) {
			EXPECT_EQ(a->tasks[n], b->tasks[n]);
			EXPECT_STREQ(a->status[n], b->status[n]);
		}
		EXPECT_STREQ("consistent", guard_verdict(fd));
		close(fd);
		ASSERT_THAWS(self->cg);
	}
	EXPECT_LT(0, g->alarms);
}

/*
 * A SIGKILL under the guard is for the thaw (C9): nobody leaves, nothing is
 * torn. A SIGUSR1 stays pending.
 */
FREEZER_TEST(killed)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid, list[4];
	int fd;

	pid = ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_STANDS(&word[0]);
	EXPECT_EQ(2, frz_list(self->cg, "tasks", list, 4));
	EXPECT_STATE(self->cg, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
}

struct split {
	unsigned long ready;
	unsigned long go;
	pid_t tid;
};

static void *split_thread(void *arg)
{
	struct split *s = arg;

	s->tid = gettid();
	frz_store(&s->ready, 1);
	frz_wait_word(&s->go, 1, FRZ_LIMIT);
	execl("/bin/sleep", "sleep", "1000", NULL);
	return NULL;
}

static int split_process(void *arg)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, split_thread, arg))
		return 1;
	return frz_sleep(NULL);
}

/*
 * A thread outside of the group executes a program, which kills the rest of its
 * process inside. Under the guard they do not leave: their exec waits for them.
 * Afterwards they do, although the group is still FROZEN.
 *
 *	cg		thread, executes
 *	 `- job		leader, guarded
 */
FREEZER_TEST(killed_by_exec)
{
	struct split *s = frz_shared(sizeof(*s));
	char job[FRZ_PATH_MAX], proc[64];
	pid_t pid, list[4];
	int fd;

	ASSERT_NE(NULL, s);
	ASSERT_EQ(0, frz_create(job, self->cg, "job"));
	pid = ASSERT_PID(frz_spawn(job, split_process, s));
	ASSERT_EQ(0, frz_wait_word(&s->ready, 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_move_thread(self->cg, s->tid));
	ASSERT_FREEZES(job);
	fd = ASSERT_GUARD(job);
	frz_store(&s->go, 1);
	ASSERT_EQ(0, wait_task_state(s->tid, 'D'));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ('D', frz_task_state(s->tid));
	EXPECT_EQ(1, frz_list(job, "tasks", list, 4));
	EXPECT_EQ(pid, list[0]);
	EXPECT_STATE(job, "CHECKPOINTING");
	EXPECT_STREQ("consistent", guard_verdict(fd));
	EXPECT_EQ(0, not_quiescent(job));
	close(fd);
	EXPECT_BECOMES_FILE(job, "tasks", "");
	EXPECT_STATE(job, "FROZEN");
	snprintf(proc, sizeof(proc), "/proc/%d", pid);
	EXPECT_BECOMES_FILE(proc, "comm", "sleep");
}

/*
 * A suspend that is tested as far as its freezer leaves the guard where it is
 * (C12): nobody runs, nothing is torn.
 */
FREEZER_TEST(suspend)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid;
	int i, fd;

	pid = ASSERT_SLEEPER(self->cg, &word[0]);
	ASSERT_SPINNER(self->cg, &word[1]);
	frz_write("/sys/module/suspend/parameters", "pm_test_delay", "0");
	ASSERT_EQ(0, frz_write("/sys/power", "pm_test", "freezer"));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(0, frz_write("/sys/power", "state", "freeze"));
		EXPECT_STATE(self->cg, "CHECKPOINTING");
		EXPECT_STANDS(&word[1]);
		EXPECT_EQ(0, not_quiescent(self->cg));
		EXPECT_STREQ("consistent", guard_verdict(fd));
	}
	frz_write("/sys/power", "pm_test", "none");
	close(fd);
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(&word[1]);
	EXPECT_EQ(0, wait_task_state(pid, 'S'));
}

TEST_HARNESS_MAIN
