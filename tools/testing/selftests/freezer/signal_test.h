/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tests of the signal controller use the fixture of the freezer tests, in a
 * hierarchy that has both controllers:
 *
 *	mount -t cgroup -o freezer,signal
 *
 * Where they are mounted apart that is changed for the time of the tests.
 */
#ifndef SIGNAL_TEST_H
#define SIGNAL_TEST_H

#include <mntent.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "freezer_test.h"

#define SGN_DIR		"/tmp/signal_selftest"

struct sgn_mount {
	char dir[FRZ_PATH_MAX];
	const char *options;
};

/* Lists end with an entry without options. */
static struct sgn_mount sgn_before[4];
static const struct sgn_mount sgn_both[] = {
	{ SGN_DIR, "freezer,signal" }, { "", NULL },
};

static bool sgn_mounted;

/* Whether the kernel has the controller: a line of /proc/cgroups. */
static inline bool sgn_present(void)
{
	char line[256];
	bool found = false;
	FILE *f = fopen("/proc/cgroups", "re");

	while (f && !found && fgets(line, sizeof(line), f))
		found = !strncmp(line, "signal\t", 7);
	if (f)
		fclose(f);
	return found;
}

static inline void sgn_umount(const struct sgn_mount *m)
{
	for (; m->options; m++)
		umount(m->dir);
}

static inline int sgn_mount(const struct sgn_mount *m)
{
	for (; m->options; m++) {
		mkdir(m->dir, 0755);
		if (mount("cgroup", m->dir, "cgroup", 0, m->options))
			return -errno;
	}
	return 0;
}

/*
 * Mount the controllers in another way. A hierarchy goes when it is unmounted
 * and has no cgroup, and a cgroup that was removed just now still counts; such a
 * hierarchy has to be mounted and unmounted once more.
 */
static inline int sgn_remount(const struct sgn_mount *from,
			      const struct sgn_mount *to)
{
	int i, err = -EBUSY;

	for (i = 0; err && i < 2000; i++) {
		sgn_umount(from);
		err = sgn_mount(to);
		if (err) {
			sgn_umount(to);
			sgn_mount(from);
			frz_sleep_ms(1);
		}
	}
	return err;
}

/* How the two are mounted now; true if it is together. */
static inline bool sgn_find(struct sgn_mount before[4])
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	struct mntent *ent;
	bool both = false;
	int num = 0;

	while (f && num < 3 && (ent = getmntent(f))) {
		bool freezer = hasmntopt(ent, "freezer");
		bool signal = hasmntopt(ent, "signal");

		if (strcmp(ent->mnt_type, "cgroup") || (!freezer && !signal))
			continue;
		both |= freezer && signal;
		snprintf(before[num].dir, FRZ_PATH_MAX, "%s", ent->mnt_dir);
		before[num++].options = freezer && signal ? "freezer,signal" :
					freezer ? "freezer" : "signal";
	}
	before[num].options = NULL;
	if (f)
		endmntent(f);
	return both;
}

/* Make one hierarchy out of those that there are, unless there is one. */
static inline void sgn_begin(void)
{
	if (sgn_present() && !sgn_find(sgn_before))
		sgn_mounted = !sgn_remount(sgn_before, sgn_both);
}

/* With a priority: after frz_end(), which removes the cgroups. */
__attribute__((destructor(200))) static void sgn_end(void)
{
	if (getpid() == frz_main && sgn_mounted)
		sgn_remount(sgn_both, sgn_before);
}

static inline int sgn_send(const char *path, const char *text)
{
	return frz_write(path, "signal.kill", text);
}

/* Who mounts only has no test with the fixture, which is a warning on 7.3. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"

FIXTURE(signals) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_SETUP(signals)
{
	if (!sgn_present())
		SKIP(return, "the kernel has no signal controller");
	freezer_setup(_metadata, (void *)self, NULL);
}

FIXTURE_TEARDOWN(signals)
{
	freezer_teardown(_metadata, (void *)self, NULL);
}

#pragma GCC diagnostic pop

#define SIGNAL_TEST(name) TEST_F_TIMEOUT(signals, name, 3600)

/* The number of tasks in @path, and wait for a number. */
static inline int sgn_tasks(const char *path)
{
	static pid_t list[8192];

	return frz_list(path, "tasks", list, 8192);
}

static inline int sgn_wait_empty(const char *path, int timeout_ms)
{
	int64_t end = frz_now_ns() + timeout_ms * 1000000LL;
	int num;

	while ((num = sgn_tasks(path)) > 0 && frz_now_ns() < end)
		frz_sleep_ms(1);
	return num;
}

#endif /* SIGNAL_TEST_H */
