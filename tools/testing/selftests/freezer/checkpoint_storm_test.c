// SPDX-License-Identifier: GPL-2.0
/*
 * The checkpoint guard in a storm: openers, closers, freezes,
 * thaws, migrations, removals and holders that are killed, all at once.
 *
 *	cg		frozen and thawed; a holder that is frozen with it
 *	 |- job		frozen, thawed, guarded; tasks come and go
 *	 |   `- part	tasks, guarded at times
 *	 |- other	the tasks come from here
 *	 `- gone	made, frozen, guarded and removed
 *
 * How many rounds: the environment's STORM_ROUNDS, or ROUNDS for as long as
 * STORM_SECONDS.
 *
 * Clauses: C11.
 */
#include <sys/stat.h>
#include <sys/wait.h>

#include "checkpoint_util.h"
#include "freezer_test.h"

#define ROUNDS		400
#define STORM_SECONDS	25

/* For a long storm, a day. */
#define LIMIT		86400

struct storm {
	char cg[FRZ_PATH_MAX];
	char job[FRZ_PATH_MAX];
	char part[FRZ_PATH_MAX];
	char other[FRZ_PATH_MAX];
	char gone[FRZ_PATH_MAX];

	unsigned long spins;		/* a task of job, a task of part */
	unsigned long reads;
	pid_t spinner;

	unsigned long stop;
	unsigned long holders;		/* of job or of part */
	unsigned long granted;
	unsigned long refused;
	unsigned long cancelled;
	unsigned long killed;
	unsigned long thaws;
	unsigned long barred;
	unsigned long moves;
	unsigned long removed;

	unsigned long bad;
	char why[256];
};

/* The first thing that went wrong is told at the end. */
#define wrong(s, ...) do { \
	struct storm *__s = (s); \
	\
	if (!frz_load(&__s->bad)) \
		snprintf(__s->why, sizeof(__s->why), __VA_ARGS__); \
	frz_inc(&__s->bad); \
} while (0)

static unsigned int roll(unsigned int *seed, unsigned int n)
{
	*seed = *seed * 1103515245 + 12345;
	return (*seed >> 16) % n;
}

static bool goes_on(struct storm *s)
{
	return !frz_load(&s->stop);
}

static void frz_dec(unsigned long *word)
{
	__atomic_fetch_sub(word, 1, __ATOMIC_SEQ_CST);
}

/* What a holder can rely on. */
static void check_held(struct storm *s, const char *cg, int fd)
{
	unsigned long reads = frz_load(&s->reads);
	int err;

	if (__atomic_fetch_add(&s->holders, 1, __ATOMIC_SEQ_CST))
		wrong(s, "two holders");
	if (frz_state_is(cg, "CHECKPOINTING") != 1)
		wrong(s, "held, and the state is %s",
		      frz_content(cg, "freezer.state"));
	err = frz_write(s->cg, "freezer.state", "THAWED");
	if (err && err != -EBUSY)
		wrong(s, "THAWED above: %s", strerror(-err));
	if (frz_state_is(cg, "CHECKPOINTING") != 1)
		wrong(s, "held, and the state is %s after a thaw",
		      frz_content(cg, "freezer.state"));
	if (frz_load(&s->reads) != reads)
		wrong(s, "a task of part moved");
	if (strcmp(guard_verdict(fd), "consistent"))
		wrong(s, "verdict: %s", guard_verdict(fd));
	frz_dec(&s->holders);
}

static int opener(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = getpid();

	while (goes_on(s)) {
		const char *cg = roll(&seed, 3) ? s->job : s->part;
		int fd = guard_open_flags(cg, roll(&seed, 4) ? 0 : O_NONBLOCK);

		if (fd >= 0) {
			frz_inc(&s->granted);
			check_held(s, cg, fd);
			close(fd);
		} else if (fd == -EBUSY) {
			frz_inc(&s->refused);
		} else if (fd == -ECANCELED) {
			frz_inc(&s->cancelled);
		} else {
			wrong(s, "open: %s", strerror(-fd));
		}
	}
	return 0;
}

static int hold_and_die(void *arg)
{
	struct storm *s = arg;

	for (;;) {
		int fd = guard_open(s->job);

		usleep(300);
		if (fd >= 0)
			close(fd);
	}
	return 0;
}

/* A holder is killed before, in, and after the open. */
static int killer(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = getpid();

	while (goes_on(s)) {
		pid_t pid = fork();

		if (!pid) {
			hold_and_die(s);
			_exit(0);
		}
		usleep(roll(&seed, 4000));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		frz_inc(&s->killed);
	}
	return 0;
}

/* Freezes and thaws: of job by itself, of both from above. */
static int slicer(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = getpid();

	while (goes_on(s)) {
		const char *cg = roll(&seed, 2) ? s->job : s->cg;
		bool nonblock = roll(&seed, 3) == 0;
		int err;

		err = nonblock ? frz_write_nonblock(cg, "freezer.state", "FROZEN") :
				 frz_write(cg, "freezer.state", "FROZEN");
		if (err && err != -ECANCELED)
			wrong(s, "FROZEN: %s", strerror(-err));
		usleep(roll(&seed, 3000));
		err = frz_write(cg, "freezer.state", "THAWED");
		if (err && err != -EBUSY)
			wrong(s, "THAWED: %s", strerror(-err));
		frz_inc(err ? &s->barred : &s->thaws);
	}
	return 0;
}

static int mover(void *arg)
{
	struct storm *s = arg;
	bool in = true;
	int err;

	while (goes_on(s)) {
		err = frz_move_process(in ? s->other : s->job, s->spinner);
		if (err && err != -EBUSY)
			wrong(s, "move: %s", strerror(-err));
		if (!err) {
			in = !in;
			frz_inc(&s->moves);
		}
		usleep(500);
	}
	return 0;
}

/* The guard of a cgroup without tasks, which is removed meanwhile. */
static int remover(void *arg)
{
	struct storm *s = arg;
	unsigned int seed = getpid();
	pid_t pid;
	int err;

	while (goes_on(s)) {
		if (mkdir(s->gone, 0755))
			wrong(s, "mkdir: %s", strerror(errno));
		frz_write_nonblock(s->gone, "freezer.state", "FROZEN");
		pid = fork();
		if (!pid) {
			for (;;) {
				int fd = guard_open(s->gone);

				if (fd >= 0)
					close(fd);
				else if (fd != -EBUSY)
					_exit(fd == -ENOENT || fd == -ENODEV ||
					      fd == -ECANCELED ? 0 : -fd);
			}
		}
		usleep(roll(&seed, 2000));
		if (rmdir(s->gone))
			wrong(s, "rmdir: %s", strerror(errno));
		if (waitpid(pid, &err, 0) != pid || err)
			wrong(s, "open of one that is removed: %#x", err);
		frz_inc(&s->removed);
	}
	return 0;
}

static int pipe_reader(void *arg)
{
	struct storm *s = arg;
	int fd[2];
	char ch;

	if (pipe(fd))
		return 1;
	if (!fork()) {
		for (;;)
			if (write(fd[1], "x", 1) != 1)
				_exit(1);
	}
	for (;;) {
		if (read(fd[0], &ch, 1) != 1)
			return 1;
		frz_inc(&s->reads);
	}
	return 0;
}

static unsigned long setting(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text ? strtoul(text, NULL, 0) : value;
}

/*
 * Nobody gets the guard while somebody else has it, the state is CHECKPOINTING
 * and no task moves for as long as it is held, whoever thaws, moves, dies or is
 * removed at that moment, and nothing else fails than what has to. When the
 * storm is over the guard is free, the group can be frozen and held, thawed, and
 * its tasks run.
 */
TEST_F_TIMEOUT(freezer, storm, LIMIT)
{
	static int (*const actors[])(void *arg) = {
		opener, opener, killer, slicer, slicer, mover, remover,
	};
	unsigned long rounds = setting("STORM_ROUNDS", ROUNDS);
	struct storm *s = frz_shared(sizeof(*s));
	pid_t pid[ARRAY_SIZE(actors) + 1];
	unsigned long spins, reads;
	int64_t end, last, seen = 0;
	unsigned int i;
	int fd;

	ASSERT_NE(NULL, s);
	snprintf(s->cg, sizeof(s->cg), "%s", self->cg);
	ASSERT_EQ(0, frz_create(s->job, self->cg, "job"));
	ASSERT_EQ(0, frz_create(s->part, s->job, "part"));
	ASSERT_EQ(0, frz_create(s->other, self->cg, "other"));
	snprintf(s->gone, sizeof(s->gone), "%.400s/gone", self->cg);
	s->spinner = ASSERT_SPINNER(s->job, &s->spins);
	ASSERT_PID(frz_spawn(s->part, pipe_reader, s));
	ASSERT_EQ(0, frz_wait_word(&s->reads, 10, FRZ_LIMIT));

	for (i = 0; i < ARRAY_SIZE(actors); i++)
		pid[i] = ASSERT_PID(frz_spawn(NULL, actors[i], s));
	pid[i] = ASSERT_PID(frz_spawn(s->cg, opener, s));

	end = frz_now_ns() + (getenv("STORM_ROUNDS") ? LIMIT : STORM_SECONDS) *
	      1000000000LL;
	last = frz_now_ns();
	while (frz_load(&s->granted) < rounds && frz_now_ns() < end &&
	       !frz_load(&s->bad)) {
		frz_sleep_ms(20);
		if (seen != (int64_t)frz_load(&s->granted))
			last = frz_now_ns();
		seen = frz_load(&s->granted);
		ASSERT_GT(60, (frz_now_ns() - last) / 1000000000) {
			TH_LOG("no guard for a minute: %s", frz_describe(s->job));
		}
	}
	frz_store(&s->stop, 1);
	for (i = 0; i < ARRAY_SIZE(actors); i++)
		EXPECT_EQ(0, frz_wait_exit(pid[i], FRZ_LIMIT)) {
			TH_LOG("actor %u", i);
		}
	/* the last one may have been frozen when nobody was left to thaw it */
	EXPECT_EQ(0, frz_thaw(s->cg)) {
		TH_LOG("a guard that nobody can give back: %s",
		       frz_describe(s->job));
	}
	EXPECT_EQ(0, frz_wait_exit(pid[i], FRZ_LIMIT));
	TH_LOG("%lu granted, %lu refused, %lu cancelled, %lu holders killed",
	       s->granted, s->refused, s->cancelled, s->killed);
	TH_LOG("%lu thaws, %lu refused, %lu moves, %lu cgroups removed",
	       s->thaws, s->barred, s->moves, s->removed);
	EXPECT_EQ(0, frz_load(&s->bad)) {
		TH_LOG("%lu times, first: %s", s->bad, s->why);
	}
	EXPECT_LT(10, s->granted);
	EXPECT_EQ(0, frz_load(&s->holders));

	ASSERT_EQ(0, frz_move_process(s->job, s->spinner));
	ASSERT_FREEZES(self->cg);
	fd = ASSERT_GUARD(self->cg);
	spins = frz_load(&s->spins);
	reads = frz_load(&s->reads);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(spins, frz_load(&s->spins));
	EXPECT_EQ(reads, frz_load(&s->reads));
	close(fd);
	/* takes back what job was asked itself, but not what it is from above */
	ASSERT_EQ(0, frz_write(s->job, "freezer.state", "THAWED"));
	EXPECT_STATE(s->job, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_STATE(s->job, "THAWED");
	EXPECT_STATE(s->part, "THAWED");
	EXPECT_RUNS(&s->spins);
	EXPECT_RUNS(&s->reads);
}

TEST_HARNESS_MAIN
