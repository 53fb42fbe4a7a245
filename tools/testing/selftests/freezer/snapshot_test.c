// SPDX-License-Identifier: GPL-2.0
/*
 * Snapshots of a group under the checkpoint guard (C11): the program
 * freezer_snapshot, and that what is read under the guard is of one moment.
 *
 * The group is a bank, snapshot_bank.h: four processes that pass money through
 * shared memory, pipes and files. An adversary thaws it every few
 * milliseconds, or tries to. A number as an argument of the program is how many
 * snapshots are made, and ten times as many looks without writing them down.
 */
#include <ftw.h>
#include <limits.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "snapshot_read.h"

/* How many snapshots, unless told otherwise, and how many looks for each. */
#define SNAPSHOTS	100
#define LOOKS		10

/* Tries in which an unguarded bank has to be seen torn once. */
#define NEGATIVE_TRIES	100

/* Between two snapshots the bank makes so many turns. */
#define TURNS		20

/* A limit for the long run; the runner's is shorter. */
#define SNAPSHOT_TEST(name) TEST_F_TIMEOUT(freezer, name, 3600)

/* What freezer_snapshot returns, see its --help. */
enum {
	TOOL_DONE	= 0,
	TOOL_ERROR	= 1,
	TOOL_USAGE	= 2,
	TOOL_NOT_FROZEN	= 3,
	TOOL_BUSY	= 4,
	TOOL_TORN	= 5,
};

static char dir[64];

/* The last argument that is a number. */
static unsigned long snapshots(void)
{
	unsigned long num = SNAPSHOTS, n;
	char buf[4096], *arg, *end;
	ssize_t len;
	int fd;

	fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? 0 : read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[len < 0 ? 0 : len] = 0;
	for (arg = buf; arg < buf + len; arg += strlen(arg) + 1) {
		n = strtoul(arg, &end, 10);
		if (end != arg && !*end && n)
			num = n;
	}
	return num;
}

static int remove_one(const char *path, const struct stat *st, int type,
		      struct FTW *ftw)
{
	return remove(path);
}

static void remove_tree(const char *path)
{
	nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* A directory of our own for what is written. */
static const char *make_dir(void)
{
	snprintf(dir, sizeof(dir), "/tmp/snapshot_test.XXXXXX");
	return mkdtemp(dir) ? "" : strerror(errno);
}

/* A name in there. */
static const char *in_dir(const char *name)
{
	static char path[2][FRZ_PATH_MAX];
	static int which;

	which = !which;
	snprintf(path[which], sizeof(path[which]), "%s/%s", dir, name);
	return path[which];
}

static bool exists(const char *name)
{
	return !access(in_dir(name), F_OK);
}

/* Start freezer_snapshot, which is beside of this program. */
static pid_t tool_start(const char *const *args)
{
	char self[FRZ_PATH_MAX - 32] = "", path[FRZ_PATH_MAX];
	const char *argv[16] = { "freezer_snapshot" };
	pid_t pid;
	int i, fd;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	*strrchr(self, '/') = 0;
	snprintf(path, sizeof(path), "%s/freezer_snapshot", self);
	for (i = 0; args[i]; i++)
		argv[i + 1] = args[i];

	pid = fork();
	if (pid)
		return pid < 0 ? -errno : pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (chdir(dir))
		_exit(127);
	/* what it says is for tool_said() */
	fd = open("log", O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (fd < 0 || dup2(fd, 1) < 0 || dup2(fd, 2) < 0)
		_exit(127);
	execv(path, (char **)argv);
	_exit(127);
}

/* Its exit status, 128 and more if it was killed, or -errno. */
static int tool_result(pid_t pid)
{
	int status = pid < 0 ? pid : frz_wait_exit(pid, FRZ_LIMIT * 2);

	if (status < 0)
		return status;
	return WIFEXITED(status) ? WEXITSTATUS(status) :
				   128 + WTERMSIG(status);
}

#define tool(...) \
	tool_result(tool_start((const char *const []){ __VA_ARGS__, NULL }))

/* What it had to say. */
static const char *tool_said(void)
{
	static char buf[4096];

	return snapshot_file(dir, "log", buf, sizeof(buf)) < 0 ? "" : buf;
}

/*
 * The adversary
 */

struct adversary {
	char		path[FRZ_PATH_MAX];
	unsigned long	thaws;		/* that took place */
	unsigned long	refused;	/* with EBUSY */
	unsigned long	errors;		/* with anything else */
	bool		freezes;	/* freeze again afterwards */
	pid_t		pid;
};

/* Thaws every few milliseconds, not in step with anything. */
static int thaw_for_ever(void *arg)
{
	struct adversary *adversary = arg;
	unsigned int i;

	for (i = 1;; i++) {
		int err = frz_thaw(adversary->path);

		if (!err)
			frz_inc(&adversary->thaws);
		else if (err == -EBUSY)
			frz_inc(&adversary->refused);
		else
			frz_inc(&adversary->errors);
		if (adversary->freezes) {
			frz_sleep_ms(1);
			frz_freeze(adversary->path);
		}
		frz_sleep_ms(1 + i * 7 % 13);
	}
	return 0;
}

static struct adversary *start_adversary(const char *path, bool freezes)
{
	struct adversary *adversary = frz_shared(sizeof(*adversary));

	if (!adversary)
		return NULL;
	snprintf(adversary->path, sizeof(adversary->path), "%s", path);
	adversary->freezes = freezes;
	adversary->pid = frz_spawn(NULL, thaw_for_ever, adversary);
	return adversary->pid < 0 ? NULL : adversary;
}

static void stop_adversary(struct adversary *adversary)
{
	kill(adversary->pid, SIGKILL);
	frz_wait_exit(adversary->pid, FRZ_LIMIT);
}

/* The guard, as a program takes it: a descriptor, or -errno. */
static int hold(const char *path)
{
	char name[FRZ_PATH_MAX + 32];
	int fd;

	snprintf(name, sizeof(name), "%s/freezer.checkpoint", path);
	fd = open(name, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static const char *verdict(int fd)
{
	static char buf[32];
	ssize_t n = pread(fd, buf, sizeof(buf) - 1, 0);

	buf[n < 0 ? 0 : n] = 0;
	return buf;
}

/*
 * The program under an adversary: freeze, write a snapshot, thaw, many times.
 * The adversary may be faster than the guard, then there is no snapshot and it
 * is tried again. Each one that there is has all that it should have, and the
 * bank in it is the bank at one moment, worked out from the core files, the
 * offsets in fdinfo, and what is in pipes and logs. The registers of a running
 * thread are those of the same moment. No process notices.
 */
SNAPSHOT_TEST(every_snapshot_is_of_one_moment)
{
	unsigned long want = snapshots(), done = 0, tries = 0, full = 0;
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	struct bank bank;

	ASSERT_NE(NULL, view);
	ASSERT_STREQ("", make_dir());
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, false);
	ASSERT_NE(NULL, adversary);

	while (done < want) {
		int ret;

		ASSERT_EQ(0, bank_turns(&bank, TURNS, FRZ_LIMIT));
		tries++;
		ret = tool("--quiet", "--freeze", "--files", self->cg, "s");
		EXPECT_FALSE(exists("s.partial"));
		if (ret == TOOL_NOT_FROZEN && tries < 20 + want * 20) {
			EXPECT_FALSE(exists("s"));
			continue;
		}
		ASSERT_EQ(TOOL_DONE, ret) {
			TH_LOG("after %lu in %lu tries: %s", done, tries,
			       tool_said());
		}
		done++;

		ASSERT_STREQ("consistent", snapshot_key(in_dir("s"), "verdict"));
		ASSERT_STREQ("", snapshot_bank(in_dir("s"), &bank, view));
		ASSERT_STREQ("", bank_check(view)) {
			TH_LOG("snapshot %lu", done);
		}
		ASSERT_STREQ("", snapshot_spin(in_dir("s"), &bank));
		full += !!strstr(snapshot_key(in_dir("s"), "registers"),
				 "0 partial, 0 none");
		remove_tree(in_dir("s"));
		ASSERT_STREQ("", bank_health(&bank));
	}

	stop_adversary(adversary);
	TH_LOG("%lu snapshots in %lu tries, %lu with all registers; thaws: %lu done, %lu refused",
	       done, tries, full, frz_load(&adversary->thaws),
	       frz_load(&adversary->refused));
	EXPECT_LT(0, frz_load(&adversary->refused));
	EXPECT_EQ(0, frz_load(&adversary->errors));
	ASSERT_THAWS(self->cg);
	EXPECT_EQ(0, bank_turns(&bank, TURNS, FRZ_LIMIT));
	EXPECT_STREQ("", bank_health(&bank));
	remove_tree(dir);
}

/*
 * The same without the program, more often: freeze, take the guard, look at
 * the processes one after the other, give the guard back, thaw.
 */
SNAPSHOT_TEST(every_look_is_of_one_moment)
{
	unsigned long want = snapshots() * LOOKS, done = 0, tries = 0;
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	struct bank bank;

	ASSERT_NE(NULL, view);
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, false);
	ASSERT_NE(NULL, adversary);

	while (done < want) {
		int fd, err;

		ASSERT_EQ(0, bank_turns(&bank, 1, FRZ_LIMIT));
		ASSERT_GT(20 + want * 20, ++tries);
		err = frz_freeze(self->cg);
		ASSERT_TRUE(!err || err == -ECANCELED);
		fd = hold(self->cg);
		if (fd == -EBUSY)
			continue;
		ASSERT_LE(0, fd);
		done++;

		ASSERT_EQ(0, bank_look(&bank, view));
		ASSERT_STREQ("", bank_check(view)) {
			TH_LOG("look %lu", done);
		}
		ASSERT_STREQ("consistent\n", verdict(fd));
		close(fd);
		ASSERT_THAWS(self->cg);
		ASSERT_STREQ("", bank_health(&bank));
	}

	stop_adversary(adversary);
	TH_LOG("%lu looks in %lu tries; thaws: %lu done, %lu refused", done,
	       tries, frz_load(&adversary->thaws),
	       frz_load(&adversary->refused));
	EXPECT_LT(0, frz_load(&adversary->refused));
	EXPECT_EQ(0, frz_load(&adversary->errors));
}

/*
 * That the two tests above can fail: without the guard and with an adversary
 * who thaws, and freezes again, a look at the bank finds it torn within a
 * hundred tries, though each began FROZEN.
 */
SNAPSHOT_TEST(without_the_guard_a_look_is_torn)
{
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	const char *why = "";
	struct bank bank;
	int tries = 0;

	ASSERT_NE(NULL, view);
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, true);
	ASSERT_NE(NULL, adversary);

	while (!*why && tries < NEGATIVE_TRIES) {
		int err = frz_freeze(self->cg);

		tries++;
		ASSERT_TRUE(!err || err == -ECANCELED);
		ASSERT_EQ(0, bank_look(&bank, view));
		why = bank_check(view);
	}
	stop_adversary(adversary);
	EXPECT_STRNE("", why) {
		TH_LOG("%d looks, and none of them torn", tries);
	}
	TH_LOG("torn at look %d: %s", tries, why);
	EXPECT_EQ(0, frz_load(&adversary->errors));
}

/*
 * And the program: with --no-guard it finds out afterwards that the group was
 * thawed. It says so, and there is no snapshot. What it has read so far, kept
 * with --keep, is torn in at least one of a hundred tries.
 */
SNAPSHOT_TEST(without_the_guard_there_is_no_snapshot)
{
	struct adversary *adversary;
	struct bank_view *view = malloc(sizeof(*view));
	const char *why = "";
	struct bank bank;
	int tries = 0;

	ASSERT_NE(NULL, view);
	ASSERT_STREQ("", make_dir());
	ASSERT_EQ(0, bank_open(&bank, self->cg));
	adversary = start_adversary(self->cg, true);
	ASSERT_NE(NULL, adversary);

	while (!*why && tries < NEGATIVE_TRIES) {
		int ret;

		tries++;
		ret = tool("--quiet", "--keep", "--no-guard", "--freeze",
			   "--files", "--registers=none", self->cg, "s");
		if (ret == TOOL_TORN) {
			EXPECT_FALSE(exists("s"));
			EXPECT_STREQ("torn", snapshot_key(in_dir("s.partial"),
							  "verdict"));
			why = snapshot_bank(in_dir("s.partial"), &bank, view);
			ASSERT_STREQ("", why);
			why = bank_check(view);
		} else {
			/* nobody thawed meanwhile, or it was not FROZEN */
			ASSERT_TRUE(ret == TOOL_DONE ||
				    ret == TOOL_NOT_FROZEN) {
				TH_LOG("%d: %s", ret, tool_said());
			}
		}
		remove_tree(in_dir("s"));
		remove_tree(in_dir("s.partial"));
	}
	stop_adversary(adversary);
	EXPECT_STRNE("", why) {
		TH_LOG("%d snapshots, and none of them torn", tries);
	}
	TH_LOG("torn at snapshot %d: %s", tries, why);
	remove_tree(dir);
}

TEST_HARNESS_MAIN
