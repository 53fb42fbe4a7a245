// SPDX-License-Identifier: GPL-2.0
/*
 * A cgroup for each container by itself, in a hierarchy that is unmounted.
 *
 * Clauses: C19.
 */
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "freezer_test.h"
#include "namespace_util.h"

/* In shared memory: a task that makes a container each time that it is told to. */
struct maker {
	unsigned long go;
	unsigned long done;
	unsigned long errors;
	unsigned long last_errno;
};

/* By clone() and by unshare() in turn, at another moment each time. */
static int make_once(struct maker *m, unsigned long round)
{
	bool by_clone = round & 2;
	pid_t pid;
	int status;

	for (unsigned long i = 0; i < round % 16 * 2000; i++)
		__asm__ volatile("" : : : "memory");
	pid = ns_clone(by_clone ? CLONE_NEWUTS : 0);
	if (!pid)
		_exit(!by_clone && unshare(CLONE_NEWUTS) ? errno : 0);
	if (pid < 0)
		return errno;
	return waitpid(pid, &status, 0) != pid ? errno :
	       WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

static int make_on_go(void *arg)
{
	struct maker *m = arg;
	unsigned long round;
	int err;

	for (round = 1; ; round++) {
		while (frz_load(&m->go) < round)
			sched_yield();
		err = make_once(m, round);
		if (err) {
			m->last_errno = err;
			frz_inc(&m->errors);
		}
		frz_store(&m->done, round);
	}
	return 0;
}

/* A test that has no cgroup: the root has no child, and goes with the last mount. */
FIXTURE(bare) {
	char root[FRZ_PATH_MAX];
	const char *options;
};

FIXTURE_SETUP(bare)
{
	char path[FRZ_PATH_MAX];

	ASSERT_EQ(0, frz_setup());
	snprintf(self->root, sizeof(self->root), "%s", frz_root());
	self->options = "freezer";
	if (!frz_find_mount("cgroup", "signal", path) && !strcmp(path, self->root))
		self->options = "freezer,signal";
}

FIXTURE_TEARDOWN(bare)
{
	EXPECT_EQ(0, frz_write(self->root, NS_KINDS, "none"));
}

/* The cgroups of the hierarchy, also those that are removed and not gone yet. */
static int nr_cgroups(void)
{
	char text[4096], *line;
	int nr = -1;

	if (!frz_read("/proc", "cgroups", text, sizeof(text))) {
		line = strstr(text, "\nfreezer\t");
		if (line)
			sscanf(line, " freezer %*d %d", &nr);
	}
	return nr;
}

/*
 * C19: the hierarchy is unmounted right before a task makes a container, or at that
 * moment, and mounted again, in a loop. A hierarchy that goes has no container, and one
 * that has a container does not go: the kernel lives, and no call fails.
 */
TEST_F_TIMEOUT(bare, umount_before_unshare, 300)
{
	struct maker *m = frz_shared(sizeof(*m));
	const char *root = self->root;
	int round, gone = 0;
	bool alone;
	pid_t pid;

	ASSERT_NE(NULL, m);
	if (ns_below(root))
		SKIP(return, "%s has a cgroup of somebody else", root);
	/* a zombie of a test before this one may keep a cgroup that was removed */
	alone = frz_until(nr_cgroups() == 1, 2000);
	pid = ASSERT_PID(frz_spawn(NULL, make_on_go, m));
	for (round = 1; round <= 100; round++) {
		ASSERT_EQ(0, frz_write(root, NS_KINDS, "uts"));
		/* on the other CPU at the same time, or when the umount is over */
		if (round & 1)
			frz_store(&m->go, round);
		if (umount2(root, 0)) {
			ASSERT_EQ(EBUSY, errno);
			kill(pid, SIGKILL);
			SKIP(return, "%s is in use by others", root);
		}
		frz_store(&m->go, round);
		EXPECT_EQ(0, frz_wait_word(&m->done, round, FRZ_LIMIT));
		ASSERT_EQ(0, mount("freezer", root, "cgroup", 0, self->options));
		gone += !strcmp(frz_content(root, NS_KINDS), "none");
		ASSERT_EQ(0, frz_write(root, NS_KINDS, "none"));
		/* a cgroup that was removed is a child of the root a while longer */
		ASSERT_TRUE(!alone || frz_until(nr_cgroups() == 1, FRZ_LIMIT)) {
			TH_LOG("round %d: %d cgroups", round, nr_cgroups());
		}
	}
	TH_LOG("the hierarchy has gone %d times in %d", gone, round - 1);
	EXPECT_TRUE(gone > 0 || !alone);
	EXPECT_EQ(0, m->errors) {
		TH_LOG("last error: %s", strerror(m->last_errno));
	}
	kill(pid, SIGKILL);
	EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
}

TEST_HARNESS_MAIN
