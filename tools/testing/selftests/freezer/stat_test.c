// SPDX-License-Identifier: GPL-2.0
/*
 * freezer.stat and freezer.blockers: what they count and whom they name.
 *
 * Clauses: C2.
 */
#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "freezer_test.h"
#include "syscalls.h"

/*
 * Each documented key is there, once, with a number, one per line. A failure
 * breaks programs that read the file.
 */
FREEZER_TEST(stat_keys)
{
	static const char * const keys[] = {
		"frozen_usec", "freezing_usec", "nr_freezes", "nr_timeouts",
		"generation", "nr_tasks", "nr_parked", "nr_in_place",
		"nr_asleep", "nr_busy", "cpu_usec_at_rest", NULL,
	};
	char buf[4096], name[64], *line, *save = NULL;
	int lines = 0, seen[16] = {}, k;
	long long value;

	ASSERT_EQ(0, frz_read(self->cg, "freezer.stat", buf, sizeof(buf)));
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char rest = 0;
		int num = sscanf(line, "%63s %lld%c", name, &value, &rest);

		EXPECT_EQ(2, num) {
			TH_LOG("line: '%s'", line);
		}
		EXPECT_EQ(0, value) {
			TH_LOG("line: '%s'", line);
		}
		for (k = 0; keys[k]; k++)
			seen[k] += !strcmp(name, keys[k]);
		lines++;
	}
	EXPECT_LE(11, lines);
	for (k = 0; keys[k]; k++) {
		EXPECT_EQ(1, seen[k]) {
			TH_LOG("key %s", keys[k]);
		}
	}
}

static int nap(void *word)
{
	frz_inc(word);
	frz_sleep_ms(3600 * 1000);
	return 0;
}

/*
 * The counts are of the whole subtree, and when FROZEN each task is in exactly
 * one place.
 *
 *	cg		spinner
 *	 `- sub		two in pause(), one in nanosleep()
 */
FREEZER_TEST(stat_counts_tasks)
{
	unsigned long *word = ASSERT_WORDS(4);
	char sub[FRZ_PATH_MAX];
	pid_t pid;
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(sub, &word[1]);
	ASSERT_SLEEPER(sub, &word[2]);
	pid = ASSERT_PID(frz_spawn(sub, nap, &word[3]));
	ASSERT_EQ(0, frz_wait_word(&word[3], 1, FRZ_LIMIT));
	ASSERT_EQ(0, frz_wait_asleep(pid, FRZ_LIMIT));

	for (i = 0; i < 5; i++) {
		ASSERT_FREEZES(self->cg);
		ASSERT_EQ(4, frz_stat(self->cg, "nr_tasks"));
		EXPECT_EQ(0, frz_stat(self->cg, "nr_busy"));
		EXPECT_EQ(1, frz_stat(self->cg, "nr_parked"));
		EXPECT_EQ(4, frz_stat(self->cg, "nr_parked") +
			     frz_stat(self->cg, "nr_in_place") +
			     frz_stat(self->cg, "nr_asleep"));
		EXPECT_LE(1, frz_stat(self->cg, "nr_in_place")) {
			TH_LOG("nanosleep() is a freezable sleep");
		}
		EXPECT_EQ(3, frz_stat(sub, "nr_tasks"));
		EXPECT_EQ(0, frz_stat(sub, "nr_parked"));
		EXPECT_EQ(3, frz_stat(sub, "nr_in_place") +
			     frz_stat(sub, "nr_asleep"));
		ASSERT_THAWS(self->cg);
		EXPECT_RUNS(&word[0]);
	}
}

/*
 * frozen_usec grows while FROZEN and only then, freezing_usec while FREEZING.
 */
FREEZER_TEST(stat_times)
{
	struct frz_busy *busy = frz_busy_new(20000);
	long long before, after;

	ASSERT_FREEZES(self->cg);
	before = frz_stat(self->cg, "frozen_usec");
	ASSERT_LE(0, before);
	frz_sleep_ms(20);
	after = frz_stat(self->cg, "frozen_usec");
	EXPECT_LE(before + 20000, after);
	ASSERT_THAWS(self->cg);
	before = frz_stat(self->cg, "frozen_usec");
	EXPECT_LE(after, before);
	frz_sleep_ms(20);
	EXPECT_EQ(before, frz_stat(self->cg, "frozen_usec"));

	ASSERT_BUSY(self->cg, busy);
	before = frz_stat(self->cg, "freezing_usec");
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	frz_sleep_ms(20);
	EXPECT_STATE(self->cg, "FREEZING");
	after = frz_stat(self->cg, "freezing_usec");
	EXPECT_LE(before + 20000, after);
	ASSERT_THAWS(self->cg);
	before = frz_stat(self->cg, "freezing_usec");
	frz_sleep_ms(20);
	EXPECT_EQ(before, frz_stat(self->cg, "freezing_usec"));
}

/*
 * blockers: a line per task that keeps the group from FROZEN, "pid comm
 * reason"; empty when nobody does or nobody asked.
 *
 *	cg		a sleeper, which is not a blocker
 *	 `- sub		two busy tasks, which are
 */
FREEZER_TEST(blockers_are_named)
{
	struct frz_busy *busy[2] = { frz_busy_new(20000), frz_busy_new(20000) };
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX], buf[4096], *line, *save = NULL;
	bool named[2] = {};
	pid_t pid[2];
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SLEEPER(self->cg, word);
	for (i = 0; i < 2; i++)
		pid[i] = ASSERT_BUSY(sub, busy[i]);
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	EXPECT_EQ(2, frz_stat(self->cg, "nr_busy"));
	ASSERT_EQ(0, frz_read(self->cg, "freezer.blockers", buf, sizeof(buf)));
	for (line = strtok_r(buf, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		char comm[64], reason[256];
		int who = 0;
		int num = sscanf(line, "%d %63s %255[^\n]", &who, comm,
				 reason);

		EXPECT_EQ(3, num) {
			TH_LOG("line: '%s'", line);
		}
		for (i = 0; i < 2; i++)
			named[i] |= who == pid[i];
		TH_LOG("blocker: %s", line);
	}
	EXPECT_TRUE(named[0]);
	EXPECT_TRUE(named[1]);
	EXPECT_EQ(2, frz_blockers(self->cg));
	EXPECT_EQ(2, frz_blockers(sub));
	ASSERT_THAWS(self->cg);
	EXPECT_FILE(self->cg, "freezer.blockers", "");
	EXPECT_EQ(0, frz_load(&busy[0]->cut));
}

/*
 * Many busy threads: each is in one system call for longer than any test lasts,
 * since all of them have to share the CPUs. Only a signal ends it. They have the
 * lowest priority, so that their number does not slow down those who look.
 */
#define MANY_PER_PROCESS	100
#define MANY_IOVS		512
#define MANY_BUF		(1024 * 1024)
#define MANY_MAX		400

struct many {
	int num;
	unsigned long ready;		/* and wait for go */
	unsigned long ended;
	unsigned long tid[MANY_MAX];
	uint64_t inside[MANY_MAX];	/* what its call has written */
	uint32_t go;
};

struct many_one {
	struct many *many;
	int from;
	int num;
};

static void *many_buf;

static void *many_thread(void *arg)
{
	struct many_one *one = arg;
	struct many *many = one->many;
	struct iovec iov[MANY_IOVS];
	int fd = open("/dev/urandom", O_RDONLY | O_CLOEXEC);
	int i = __atomic_fetch_add(&one->num, 1, __ATOMIC_SEQ_CST) + one->from;
	int k;

	if (fd < 0)
		_exit(1);
	iov[0] = (struct iovec){ &many->inside[i], sizeof(many->inside[i]) };
	for (k = 1; k < MANY_IOVS; k++)
		iov[k] = (struct iovec){ many_buf, MANY_BUF };
	frz_store(&many->tid[i], syscall(SYS_gettid));
	many->inside[i] = 0;
	frz_inc(&many->ready);
	/* all begin at the same time */
	while (!__atomic_load_n(&many->go, __ATOMIC_SEQ_CST))
		syscall(SYS_futex, &many->go, FUTEX_WAIT, 0, NULL, NULL, 0);
	if (preadv(fd, iov, MANY_IOVS, 0))
		frz_inc(&many->ended);
	return NULL;
}

static int many_process(void *arg)
{
	struct many_one *one = arg;
	int i, threads = one->num;
	pthread_attr_t attr;
	pthread_t thread;

	many_buf = frz_shared(MANY_BUF);
	if (!many_buf)
		return 1;
	/* No page fault is left to sleep in. */
	memset(many_buf, 0, MANY_BUF);
	setpriority(PRIO_PROCESS, 0, 19);
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	one->num = 0;
	for (i = 1; i < threads; i++)
		if (pthread_create(&thread, &attr, many_thread, one))
			return 1;
	many_thread(one);
	return frz_sleep(NULL);
}

/*
 * @num of them in @path, ready to begin: 0 or -errno. None is busy until all have
 * been created: beside 20 busy ones 300 took 12 seconds.
 */
static int many_ready(const char *path, struct many *many, int num)
{
	struct many_one one[MANY_MAX / MANY_PER_PROCESS];
	int i, n, left = num;
	pid_t pid;

	many->num = num;
	for (i = 0; left; i++, left -= n) {
		n = left < MANY_PER_PROCESS ? left : MANY_PER_PROCESS;
		one[i] = (struct many_one){ many, i * MANY_PER_PROCESS, n };
		pid = frz_spawn(path, many_process, &one[i]);
		if (pid < 0)
			return pid;
	}
	return frz_wait_word(&many->ready, num, FRZ_LIMIT);
}

static int many_inside(const struct many *many)
{
	int i, n = 0;

	for (i = 0; i < many->num; i++)
		n += !!__atomic_load_n(&many->inside[i], __ATOMIC_SEQ_CST);
	return n;
}

/* Let them begin: 0 when each is inside of its call, or -errno. */
static int many_go(struct many *many)
{
	__atomic_store_n(&many->go, 1, __ATOMIC_SEQ_CST);
	if (syscall(SYS_futex, &many->go, FUTEX_WAKE, INT_MAX, NULL, NULL, 0) < 0)
		return -errno;
	return frz_until(many_inside(many) == many->num, FRZ_LIMIT) ? 0 : -ETIMEDOUT;
}

/* Go before all others, but not what is forked from now on. */
static int look_first(void)
{
	struct sched_param param = { .sched_priority = 1 };

	return sched_setscheduler(0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) ?
	       -errno : 0;
}

/* All of a file, read @step bytes at a time: its length, or -errno. */
static ssize_t read_in_steps(const char *path, const char *file, char *buf,
			     size_t size, size_t step)
{
	char name[FRZ_PATH_MAX + 32];
	size_t len = 0;
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/%s", path, file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		if (step > size - 1 - len)
			step = size - 1 - len;
		n = read(fd, buf + len, step);
		if (n > 0)
			len += n;
	} while (n > 0);
	n = n ? -errno : (ssize_t)len;
	close(fd);
	buf[len] = 0;
	return n;
}

struct blockers {
	int lines;
	int bad;			/* lines that are not "pid comm reason" */
	int twice;
	char first_bad[64];
	unsigned char seen[65536];	/* by pid: 0, 1, or more often */
};

static void parse_blockers(char *buf, struct blockers *b)
{
	char comm[64], reason[64], rest, *line, *end;
	int pid;

	memset(b, 0, sizeof(*b));
	for (line = buf; *line; line = end) {
		end = strchrnul(line, '\n');
		b->lines++;
		/* the last line, too, has an end */
		if (*end) {
			*end++ = 0;
			if (sscanf(line, "%d %63s %63[a-z]%c", &pid, comm,
				   reason, &rest) == 3 && pid > 0 &&
			    pid < (int)sizeof(b->seen)) {
				b->twice += !!b->seen[pid];
				b->seen[pid] += b->seen[pid] < 2;
				continue;
			}
		}
		if (!b->bad++)
			snprintf(b->first_bad, sizeof(b->first_bad), "%s",
				 line);
	}
}

/* How many of @num threads have no line, or more than one. */
static int nr_unnamed(const struct blockers *b, const struct many *many, int num)
{
	int i, unnamed = 0;

	for (i = 0; i < num; i++)
		unnamed += b->seen[many->tid[i] % sizeof(b->seen)] != 1;
	return unnamed;
}

#define BLOCKERS_SIZE	(1024 * 1024)

/*
 *	cg
 *	 |- many	four hundred busy threads
 *	 |- few		two
 *	 `- none	a sleeper
 *
 * All three are asked to freeze. The file of few has its two lines each time, that
 * of none is empty and it is FROZEN, whatever goes on elsewhere; that of cg has all
 * of them, each once. A failure is a file that shows the tasks of others, or leaves
 * out its own.
 */
FREEZER_LONG_TEST(blockers_of_others)
{
	struct many *many = frz_shared(sizeof(*many));
	struct many *few = frz_shared(sizeof(*few));
	struct blockers *b = frz_shared(sizeof(*b));
	unsigned long *word = ASSERT_WORDS(1);
	char *buf = frz_shared(BLOCKERS_SIZE);
	char path[3][FRZ_PATH_MAX];
	int i;

	ASSERT_NE(NULL, many);
	ASSERT_NE(NULL, few);
	ASSERT_NE(NULL, b);
	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, frz_create(path[0], self->cg, "many"));
	ASSERT_EQ(0, frz_create(path[1], self->cg, "few"));
	ASSERT_EQ(0, frz_create(path[2], self->cg, "none"));
	ASSERT_SLEEPER(path[2], word);
	ASSERT_EQ(0, look_first());
	ASSERT_EQ(0, many_ready(path[1], few, 2));
	ASSERT_EQ(0, many_ready(path[0], many, MANY_MAX));
	ASSERT_EQ(0, many_go(few));
	ASSERT_EQ(0, many_go(many));
	ASSERT_EQ(0, frz_write_nonblock(self->cg, "freezer.state", "FROZEN"));
	ASSERT_BECOMES(path[2], "FROZEN");
	for (i = 0; i < 100; i++) {
		ASSERT_LE(0, read_in_steps(path[1], "freezer.blockers", buf,
					   BLOCKERS_SIZE, 4096));
		parse_blockers(buf, b);
		EXPECT_EQ(0, b->bad + b->twice) {
			TH_LOG("read %d, line: '%s'", i, b->first_bad);
		}
		EXPECT_EQ(2, b->lines);
		ASSERT_EQ(0, nr_unnamed(b, few, 2));
		EXPECT_FILE(path[2], "freezer.blockers", "");
		if (i % 10)
			continue;
		ASSERT_LE(0, read_in_steps(self->cg, "freezer.blockers", buf,
					   BLOCKERS_SIZE, 4096));
		parse_blockers(buf, b);
		EXPECT_EQ(0, b->bad + b->twice) {
			TH_LOG("read %d, line: '%s'", i, b->first_bad);
		}
		EXPECT_EQ(MANY_MAX + 2, b->lines);
		ASSERT_EQ(0, nr_unnamed(b, few, 2));
		ASSERT_EQ(0, nr_unnamed(b, many, MANY_MAX));
	}
	EXPECT_EQ(MANY_MAX + 2, frz_stat(self->cg, "nr_busy"));
	EXPECT_EQ(0, frz_load(&many->ended) + frz_load(&few->ended));
}

#define STAY		300
#define GUESTS		20

struct guests {
	char frozen[FRZ_PATH_MAX];
	char thawed[FRZ_PATH_MAX];
	struct many *many;
	pid_t spinner[GUESTS];
	unsigned long moves;
};

/* To and fro: they become busy there, the spinners come to rest, and they go. */
static int move_guests(void *arg)
{
	struct guests *g = arg;
	int i, in;

	setpriority(PRIO_PROCESS, 0, -10);
	for (in = 1;; in = !in) {
		const char *to = in ? g->frozen : g->thawed;

		for (i = 0; i < GUESTS; i++)
			if (frz_move_thread(to, g->many->tid[i]) ||
			    frz_move_thread(to, g->spinner[i]))
				return 1;
		frz_inc(&g->moves);
	}
	return 0;
}

/*
 *	cg
 *	 |- frozen	three hundred busy threads, which stay
 *	 `- thawed	guests: busy threads and spinners, which come to "frozen",
 *			become busy or come to rest there, and leave again
 *
 * The file of frozen is many pages long. It is read for some seconds, in large and
 * small pieces. Each time all that stay are there, once, each line is whole, and the
 * read comes to an end within the limit of a test for what comes at once. A guest
 * that leaves and comes back meanwhile may be there twice.
 */
FREEZER_LONG_TEST(blockers_while_they_change)
{
	static const size_t steps[] = { 65536, 4096, 1000, 77 };
	struct many *many[2] = {
		frz_shared(sizeof(**many)), frz_shared(sizeof(**many)),
	};
	struct guests *g = frz_shared(sizeof(*g));
	struct blockers *b = frz_shared(sizeof(*b));
	unsigned long *word = ASSERT_WORDS(1);
	char *buf = frz_shared(BLOCKERS_SIZE);
	int i, reads, most = 0, least = MANY_MAX;
	int64_t begin, end, ns, slowest = 0;
	ssize_t len, longest = 0;

	ASSERT_NE(NULL, many[0]);
	ASSERT_NE(NULL, many[1]);
	ASSERT_NE(NULL, g);
	ASSERT_NE(NULL, b);
	ASSERT_NE(NULL, buf);
	ASSERT_EQ(0, frz_create(g->frozen, self->cg, "frozen"));
	ASSERT_EQ(0, frz_create(g->thawed, self->cg, "thawed"));
	g->many = many[1];
	ASSERT_EQ(0, look_first());
	ASSERT_EQ(0, many_ready(g->thawed, many[1], GUESTS));
	ASSERT_EQ(0, many_ready(g->frozen, many[0], STAY));
	ASSERT_EQ(0, many_go(many[1]));
	ASSERT_EQ(0, many_go(many[0]));
	for (i = 0; i < GUESTS; i++)
		g->spinner[i] = ASSERT_SPINNER(g->thawed, word);
	ASSERT_EQ(0, frz_write_nonblock(g->frozen, "freezer.state", "FROZEN"));
	ASSERT_PID(frz_spawn(NULL, move_guests, g));
	ASSERT_EQ(0, frz_wait_word(&g->moves, 2, FRZ_LIMIT));

	end = frz_now_ns() + 5000000000LL;
	for (reads = 0; reads < 40 || frz_now_ns() < end; reads++) {
		begin = frz_now_ns();
		len = read_in_steps(g->frozen, "freezer.blockers", buf,
				    BLOCKERS_SIZE,
				    steps[reads % ARRAY_SIZE(steps)]);
		ns = frz_now_ns() - begin;
		ASSERT_LE(0, len);
		if (ns > slowest)
			slowest = ns;
		if (len > longest)
			longest = len;
		parse_blockers(buf, b);
		if (b->lines > most)
			most = b->lines;
		if (b->lines < least)
			least = b->lines;
		ASSERT_EQ(0, b->bad) {
			TH_LOG("read %d, line: '%s'", reads, b->first_bad);
		}
		ASSERT_EQ(0, nr_unnamed(b, many[0], STAY)) {
			TH_LOG("read %d: %d lines", reads, b->lines);
		}
		/* the movers go on */
		usleep(1000);
	}
	TH_LOG("%d reads, %d to %d lines, %zd bytes at most, slowest %lld ms",
	       reads, least, most, longest, (long long)slowest / 1000000);
	TH_LOG("%lu rounds of moves", frz_load(&g->moves));
	EXPECT_GT(FRZ_AT_ONCE * 1000000LL, slowest);
	EXPECT_LT(2, frz_load(&g->moves));
	EXPECT_LT(STAY, most);
	EXPECT_GE(STAY + 4 * GUESTS, most);
	EXPECT_EQ(0, frz_load(&many[0]->ended));
}

TEST_HARNESS_MAIN
