// SPDX-License-Identifier: GPL-2.0
/*
 * The ways in which the freezer and the signal controller can be mounted:
 * each alone, both together, and not on the default hierarchy.
 *
 * Changes how they are mounted on this machine, if nobody has a cgroup there,
 * and puts it back.
 *
 * Clauses: C17.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "freezer_test.h"
#include "signal_util.h"

#define MNT_DIR		"/tmp/mount_selftest"

/* A receiver of one signal. */
static int wait_usr1(void *arg)
{
	int sig = SIGUSR1;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, sig);
	sigprocmask(SIG_BLOCK, &set, NULL);
	frz_store(arg, 1);
	while (sigwaitinfo(&set, NULL) != sig)
		;
	frz_store(arg, 2);
	return pause();
}

FIXTURE(mounts) {
	struct sgn_mount way[2];
};

FIXTURE_VARIANT(mounts) {
	const char *options;
	bool freezer;
	bool signal;
};

FIXTURE_VARIANT_ADD(mounts, freezer) {
	.options = "freezer", .freezer = true,
};

FIXTURE_VARIANT_ADD(mounts, signal) {
	.options = "signal", .signal = true,
};

FIXTURE_VARIANT_ADD(mounts, both) {
	.options = "freezer,signal", .freezer = true, .signal = true,
};

FIXTURE_SETUP(mounts)
{
	if (!sgn_present())
		SKIP(return, "the kernel has no signal controller");
	sgn_find(sgn_before);
	snprintf(self->way[0].dir, FRZ_PATH_MAX, "%s", MNT_DIR);
	self->way[0].options = variant->options;
	ASSERT_EQ(0, sgn_remount(sgn_before, self->way));
}

FIXTURE_TEARDOWN(mounts)
{
	EXPECT_EQ(0, sgn_remount(self->way, sgn_before));
	rmdir(MNT_DIR);
}

/*
 * A cgroup has the files of the controllers that are mounted, and no others;
 * they do what they are for, with a process in it.
 */
TEST_F_TIMEOUT(mounts, work, 90)
{
	char name[FRZ_PATH_MAX + 64], a[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(1);
	pid_t pid;

	ASSERT_EQ(0, frz_create(a, MNT_DIR, "a"));
	snprintf(name, sizeof(name), "%s/freezer.state", a);
	EXPECT_EQ(variant->freezer, !access(name, F_OK));
	snprintf(name, sizeof(name), "%s/signal.kill", a);
	EXPECT_EQ(variant->signal, !access(name, F_OK));

	pid = ASSERT_PID(frz_spawn(a, wait_usr1, word));
	EXPECT_EQ(0, frz_wait_word(word, 1, FRZ_LIMIT));
	if (variant->freezer) {
		EXPECT_STREQ("", frz_freezes(a));
		EXPECT_STREQ("", frz_thaws(a));
	}
	if (variant->signal) {
		EXPECT_EQ(0, sgn_send(a, "USR1"));
		EXPECT_EQ(0, frz_wait_word(word, 2, FRZ_LIMIT));
		EXPECT_EQ(0, sgn_send(a, "9"));
	} else {
		EXPECT_EQ(0, kill(pid, SIGKILL));
	}
	EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(0, sgn_wait_empty(a, FRZ_LIMIT));
	EXPECT_EQ(0, rmdir(a));
}

/*
 * The other controllers that can be mounted now, for a list of options. Not
 * cpuset: no task can be moved to a cgroup of it before its files are written.
 * Nor memory: a cgroup that was removed lives on while a page is charged to it,
 * and the hierarchy with it, so it may not be possible to put things back.
 */
static int other_controllers(char *list, size_t size)
{
	char line[256], name[64];
	int id, enabled, num = 0;
	FILE *f = fopen("/proc/cgroups", "re");

	list[0] = 0;
	while (f && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%63s %d %*d %d", name, &id, &enabled) != 3 ||
		    *name == '#' || id || !enabled || !strcmp(name, "freezer") ||
		    !strcmp(name, "signal") || !strcmp(name, "cpuset") ||
		    !strcmp(name, "memory") ||
		    mount("cgroup", MNT_DIR, "cgroup", 0, name))
			continue;
		umount(MNT_DIR);
		strncat(list, ",", size - strlen(list) - 1);
		strncat(list, name, size - strlen(list) - 1);
		num++;
	}
	if (f)
		fclose(f);
	return num;
}

FIXTURE(others) {
	struct sgn_mount way[2];
	char options[512];
};

FIXTURE_SETUP(others)
{
	char list[400];
	int num;

	if (!sgn_present())
		SKIP(return, "the kernel has no signal controller");
	mkdir(MNT_DIR, 0755);
	num = other_controllers(list, sizeof(list));
	ASSERT_LT(0, num);
	TH_LOG("%d others: %s", num, list + 1);
	snprintf(self->options, sizeof(self->options), "freezer,signal%s",
		 list);
	snprintf(self->way[0].dir, FRZ_PATH_MAX, "%s", MNT_DIR);
	self->way[0].options = self->options;
	sgn_find(sgn_before);
	ASSERT_EQ(0, sgn_remount(sgn_before, self->way));
}

FIXTURE_TEARDOWN(others)
{
	if (!self->way[0].options)
		return;
	EXPECT_EQ(0, sgn_remount(self->way, sgn_before));
	rmdir(MNT_DIR);
}

/*
 * Both in one hierarchy with all other controllers of the kernel that are free:
 * with all of them configured the last bit of its masks of controllers is in use.
 */
TEST_F_TIMEOUT(others, work, 90)
{
	unsigned long *word = ASSERT_WORDS(1);
	char a[FRZ_PATH_MAX];
	pid_t pid;

	ASSERT_EQ(0, frz_create(a, MNT_DIR, "a"));
	pid = frz_spinner(a, word);
	EXPECT_LT(0, pid);
	EXPECT_STREQ("", frz_freezes(a));
	EXPECT_EQ(0, sgn_send(a, "9"));
	EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid, FRZ_WATCH));
	EXPECT_STREQ("", frz_thaws(a));
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(0, sgn_wait_empty(a, FRZ_LIMIT));
	EXPECT_EQ(0, rmdir(a));
}

/* The default hierarchy does not know the two. */
TEST(not_on_v2)
{
	char list[1024];
	int err;

	if (!sgn_present())
		SKIP(return, "the kernel has no signal controller");
	mkdir(MNT_DIR, 0755);
	ASSERT_EQ(0, mount("none", MNT_DIR, "cgroup2", 0, NULL));
	err = frz_read(MNT_DIR, "cgroup.controllers", list, sizeof(list));
	EXPECT_EQ(0, err);
	EXPECT_EQ(NULL, strstr(list, "freezer"));
	EXPECT_EQ(NULL, strstr(list, "signal"));
	EXPECT_NE(0, frz_write(MNT_DIR, "cgroup.subtree_control", "+signal"));
	EXPECT_NE(0, frz_write(MNT_DIR, "cgroup.subtree_control", "+freezer"));
	EXPECT_EQ(0, umount(MNT_DIR));
	rmdir(MNT_DIR);
}

TEST_HARNESS_MAIN
