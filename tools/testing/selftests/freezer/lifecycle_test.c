// SPDX-License-Identifier: GPL-2.0
/*
 * Cgroups and tasks that come and go while something is frozen.
 *
 * Clauses: C2, C8, C9, C14.
 */
#include <dirent.h>
#include <sys/mount.h>

#include "freezer_test.h"

/*
 * An empty frozen cgroup can be removed, and one of the same name is made
 * thawed. The parent does not remember the removed one.
 */
FREEZER_TEST(rmdir_frozen)
{
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX];
	int i;

	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
		EXPECT_STATE(sub, "THAWED");
		ASSERT_FREEZES(sub);
		ASSERT_EQ(0, frz_rmdir(sub));
	}
	EXPECT_STATE(self->cg, "THAWED");
	ASSERT_SPINNER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	EXPECT_STANDS(word);
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_EQ(0, rmdir(sub));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

/*
 * The last task of a FREEZING cgroup is moved away and the cgroup is removed at
 * once, under the feet of a waiting writer. The writer returns: with success
 * when it still saw the FROZEN of the empty cgroup, with ENODEV when the
 * removal was faster (C2). It neither hangs nor waits for its time limit.
 */
FREEZER_TEST(rmdir_under_writer)
{
	char sub[FRZ_PATH_MAX];
	pid_t pid, writer;
	int i, err;

	for (i = 0; i < 5; i++) {
		struct frz_busy *busy = frz_busy_new(20000);

		ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
		ASSERT_EQ(0, frz_write(sub, "freezer.timeout_ms", "3600000"));
		pid = ASSERT_BUSY(sub, busy);
		writer = frz_writer(sub, "freezer.state", "FROZEN", false);
		ASSERT_LT(0, writer);
		ASSERT_BECOMES(sub, "FREEZING");
		ASSERT_EQ(0, frz_wait_asleep(writer, FRZ_LIMIT));
		/* Out with it: removal must not wait for the writer. */
		ASSERT_EQ(0, frz_move_process(self->cg, pid));
		ASSERT_EQ(0, rmdir(sub));
		err = frz_writer_result(writer, FRZ_LIMIT);
		EXPECT_TRUE(!err || err == -ENODEV) {
			TH_LOG("the writer got %s", strerror(-err));
		}
		kill(pid, SIGKILL);
		EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
	}
}

/*
 * The hierarchy is unmounted while a cgroup in it is frozen, and mounted again:
 * the cgroup is there, FROZEN, its task has not run, and thaws.
 */
FREEZER_TEST(umount_while_frozen)
{
	unsigned long *word = ASSERT_WORDS(1), seen;
	char root[FRZ_PATH_MAX], kill_file[FRZ_PATH_MAX + 64];
	const char *options = "freezer";

	snprintf(root, sizeof(root), "%s", frz_root());
	/* The hierarchy may have the signal controller, too. */
	snprintf(kill_file, sizeof(kill_file), "%s/signal.kill", self->cg);
	if (!access(kill_file, F_OK))
		options = "freezer,signal";
	ASSERT_SPINNER(self->cg, word);
	ASSERT_FREEZES(self->cg);
	seen = frz_load(word);
	if (umount2(root, 0)) {
		ASSERT_EQ(EBUSY, errno);
		SKIP(return, "%s is in use by others", root);
	}
	EXPECT_EQ(-1, access(self->cg, F_OK));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(seen, frz_load(word));
	ASSERT_EQ(0, mount("freezer", root, "cgroup", 0, options));
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_STANDS(word);
	EXPECT_EQ(seen, frz_load(word));
	ASSERT_THAWS(self->cg);
	EXPECT_RUNS(word);
}

struct exiter {
	unsigned long ready;
	unsigned long go;
};

static int exit_on_go(void *arg)
{
	struct exiter *e = arg;

	frz_inc(&e->ready);
	while (!frz_load(&e->go))
		sched_yield();
	return 7;
}

/*
 * Tasks that exit while the freeze arrives, thirty times six of them: FROZEN is
 * reached (C8), the count of tasks is that of the task list, and after the thaw
 * all have ended with their own status.
 */
FREEZER_TEST(exit_while_freezing)
{
	struct exiter *e = frz_shared(sizeof(*e));
	pid_t pid[6], list[16];
	int i, k, num;

	ASSERT_NE(NULL, e);
	for (i = 0; i < 30; i++) {
		memset(e, 0, sizeof(*e));
		for (k = 0; k < 6; k++)
			pid[k] = ASSERT_PID(frz_spawn(self->cg, exit_on_go,
						      e));
		ASSERT_EQ(0, frz_wait_word(&e->ready, 6, FRZ_LIMIT));
		frz_store(&e->go, 1);
		ASSERT_FREEZES(self->cg);
		num = frz_list(self->cg, "tasks", list, 16);
		ASSERT_EQ(num, frz_stat(self->cg, "nr_tasks")) {
			TH_LOG("round %d", i);
		}
		ASSERT_THAWS(self->cg);
		for (k = 0; k < 6; k++) {
			int status = frz_wait_exit(pid[k], FRZ_LIMIT);

			ASSERT_LE(0, status);
			EXPECT_EQ(7, WEXITSTATUS(status));
		}
	}
}

/*
 * The only task that holds a freeze up is killed: its call is cut short, it
 * comes to the door (or dies), and the writer succeeds. After the thaw it is
 * dead in any case.
 */
FREEZER_TEST(last_blocker_killed)
{
	struct frz_busy *busy = frz_busy_new(20000);
	pid_t pid, writer;

	pid = ASSERT_BUSY(self->cg, busy);
	writer = frz_writer(self->cg, "freezer.state", "FROZEN", false);
	ASSERT_LT(0, writer);
	ASSERT_BECOMES(self->cg, "FREEZING");
	ASSERT_EQ(0, kill(pid, SIGKILL));
	EXPECT_EQ(0, frz_writer_result(writer, FRZ_LIMIT));
	EXPECT_STATE(self->cg, "FROZEN");
	ASSERT_THAWS(self->cg);
	EXPECT_LE(0, frz_wait_exit(pid, FRZ_LIMIT));
}

/*
 * SIGKILL for frozen tasks, parked and asleep, waits (C9 with killable 0): they
 * are there while FROZEN and dead of it after the thaw.
 */
FREEZER_TEST(kill_waits_for_thaw)
{
	unsigned long *word = ASSERT_WORDS(2);
	pid_t pid[2];
	int i, status;

	/* The host may have another default; an old kernel has no such file. */
	frz_write(self->cg, "freezer.killable", "0");
	pid[0] = ASSERT_SPINNER(self->cg, &word[0]);
	pid[1] = ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_FREEZES(self->cg);
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, kill(pid[i], SIGKILL));
	EXPECT_STANDS(&word[0]);
	EXPECT_STATE(self->cg, "FROZEN");
	for (i = 0; i < 2; i++)
		EXPECT_EQ(-ETIMEDOUT, frz_wait_exit(pid[i], FRZ_WATCH));
	ASSERT_THAWS(self->cg);
	for (i = 0; i < 2; i++) {
		status = frz_wait_exit(pid[i], FRZ_LIMIT);
		ASSERT_LE(0, status);
		EXPECT_EQ(SIGKILL, WTERMSIG(status));
	}
	EXPECT_EQ(0, frz_stat(self->cg, "nr_tasks"));
}

/* PF_NOFREEZE of the flags in /proc/<pid>/stat: not even a suspend stops it. */
#define NOFREEZE	0x8000

static bool is_freezable(pid_t pid)
{
	unsigned int flags = NOFREEZE;
	char name[64], buf[512], *p;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", pid);
	f = fopen(name, "re");
	if (!f)
		return false;
	p = fgets(buf, sizeof(buf), f) ? strrchr(buf, ')') : NULL;
	fclose(f);
	return p && sscanf(p, ") %*c %*d %*d %*d %*d %*d %u", &flags) == 1 &&
	       !(flags & NOFREEZE);
}

/*
 * Move a kernel thread that allows it into @path, one that a suspend freezes
 * if @freezable: its pid or 0.
 */
static pid_t capture_kthread(const char *path, bool freezable)
{
	DIR *proc = opendir("/proc");
	struct dirent *ent;
	pid_t found = 0;

	while (proc && !found && (ent = readdir(proc))) {
		pid_t pid = atoi(ent->d_name);

		if (pid <= 2 || frz_proc_status(pid, "PPid") != 2 ||
		    frz_task_state(pid) != 'S' ||
		    is_freezable(pid) != freezable)
			continue;
		if (!frz_move_process(path, pid))
			found = pid;
	}
	if (proc)
		closedir(proc);
	return found;
}

/*
 * Kernel threads are not frozen and do not count (C14): one that lets itself be
 * moved, and that a suspend would freeze, is put into a cgroup with a sleeper.
 * The freeze is complete at once, the thread sleeps on in its own way, and the
 * counts know the sleeper alone.
 */
FREEZER_TEST(kthreads_do_not_count)
{
	unsigned long *word = ASSERT_WORDS(1);
	pid_t kthread;

	ASSERT_SLEEPER(self->cg, word);
	kthread = capture_kthread(self->cg, true);
	if (!kthread)
		kthread = capture_kthread(self->cg, false);
	ASSERT_LT(0, kthread) {
		TH_LOG("no kernel thread can be moved");
	}
	EXPECT_STREQ("", frz_freezes(self->cg));
	EXPECT_EQ(1, frz_stat(self->cg, "nr_tasks"));
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_NE('D', frz_task_state(kthread)) {
		TH_LOG("kernel thread %d is frozen", kthread);
	}
	EXPECT_EQ(0, frz_thaw(self->cg));
	EXPECT_EQ(0, frz_move_process(frz_root(), kthread));
}

TEST_HARNESS_MAIN
