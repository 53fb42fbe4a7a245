// SPDX-License-Identifier: GPL-2.0
/*
 * The tracepoints: perf and bpftrace can tell what a freeze did, what it waited
 * for, and that no work is left behind.
 *
 * Clauses: C7, C16.
 */
#include <sys/mount.h>
#include <sys/stat.h>

#include "freezer_test.h"

static const char * const events[] = {
	"cgroup_freezer_request", "cgroup_freezer_rest",
	"cgroup_freezer_state", "cgroup_freezer_thaw", NULL,
};

static const char *find_tracefs(void)
{
	static const char * const dirs[] = {
		"/sys/kernel/tracing", "/sys/kernel/debug/tracing",
		"/tmp/freezer_selftest.tracing", NULL,
	};
	char name[128];
	int i;

	for (i = 0; dirs[i]; i++) {
		snprintf(name, sizeof(name), "%s/instances", dirs[i]);
		if (!access(name, F_OK))
			return dirs[i];
	}
	if (!mount("tracefs", dirs[0], "tracefs", 0, NULL))
		return dirs[0];
	mkdir(dirs[2], 0700);
	return mount("tracefs", dirs[2], "tracefs", 0, NULL) ? NULL : dirs[2];
}

/* Lines of the trace with the event and, if given, the text. */
static int count_lines(const char *instance, const char *event,
		       const char *text)
{
	char name[FRZ_PATH_MAX], line[1024];
	int num = 0;
	FILE *f;

	snprintf(name, sizeof(name), "%s/trace", instance);
	f = fopen(name, "re");
	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		if (line[0] != '#' && strstr(line, event) &&
		    (!text || strstr(line, text)))
			num++;
	fclose(f);
	return num;
}

/*
 * The four events exist (C7), and in an instance of our own (nobody else's trace
 * is touched) one freeze and thaw of
 *
 *	cg		spinner
 *	 `- sub		sleeper
 *
 * shows the request, each of the two tasks coming to rest, the changes of the
 * state, FROZEN among them, and the thaw.
 */
FREEZER_TEST(events_tell_the_freeze)
{
	unsigned long *word = ASSERT_WORDS(2);
	char instance[128], sub[FRZ_PATH_MAX], file[128];
	const char *tracefs = find_tracefs();
	int i, missing = 0;
	struct stat st;
	char id[2][64];

	ASSERT_NE(NULL, tracefs) {
		TH_LOG("no tracefs");
	}
	for (i = 0; events[i]; i++) {
		snprintf(file, sizeof(file), "events/cgroup_freezer/%s/format",
			 events[i]);
		EXPECT_STRNE("", frz_content(tracefs, file));
		snprintf(file, sizeof(file), "%s/events/cgroup_freezer/%s",
			 tracefs, events[i]);
		EXPECT_EQ(0, access(file, F_OK)) {
			TH_LOG("no event %s", events[i]);
		}
	}
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SLEEPER(sub, &word[1]);

	snprintf(instance, sizeof(instance), "%s/instances/freezer_selftest",
		 tracefs);
	rmdir(instance);
	ASSERT_EQ(0, mkdir(instance, 0700));
	EXPECT_EQ(0, frz_write(instance, "events/cgroup_freezer/enable", "1"));
	EXPECT_STREQ("", frz_freezes(self->cg));
	EXPECT_STREQ("", frz_thaws(self->cg));
	EXPECT_EQ(0, frz_write(instance, "events/cgroup_freezer/enable", "0"));

	/* A cgroup is told by its id, which is its inode number. */
	ASSERT_EQ(0, stat(self->cg, &st));
	snprintf(id[0], sizeof(id[0]), "cgroup=%llu ",
		 (unsigned long long)st.st_ino);
	ASSERT_EQ(0, stat(sub, &st));
	snprintf(id[1], sizeof(id[1]), "cgroup=%llu ",
		 (unsigned long long)st.st_ino);
	missing += count_lines(instance, events[0], id[0]) < 1;
	missing += count_lines(instance, events[1], "parked") < 1;
	for (i = 0; i < 2; i++) {
		missing += count_lines(instance, events[1], id[i]) < 1;
		missing += count_lines(instance, events[2], id[i]) < 2;
		missing += count_lines(instance, events[3], id[i]) < 1;
	}
	missing += count_lines(instance, events[2], "to=FROZEN") < 2;
	EXPECT_EQ(0, missing) {
		TH_LOG("%s", frz_content(instance, "trace"));
	}
	EXPECT_EQ(0, rmdir(instance));
}

/* How often the work item that looks at busy tasks has begun, or ended. */
static int looks(const char *instance, const char *event)
{
	return count_lines(instance, event, "function freezer_relook");
}

#define LOOK_BEGINS	"workqueue_execute_start"
#define LOOK_ENDS	"workqueue_execute_end"

/*
 * There is no periodic work when nothing is FREEZING (C16). The spinner is busy
 * when the freeze begins, so the work item that looks at busy tasks begins. It
 * comes to an end when the spinner has parked, and does not begin again, while
 * the group is FROZEN and after the thaw.
 */
FREEZER_TEST(no_periodic_work)
{
	unsigned long *word = ASSERT_WORDS(1);
	const char *tracefs = find_tracefs();
	int begun = 0, ended = 0;
	char instance[128];

	ASSERT_NE(NULL, tracefs) {
		TH_LOG("no tracefs");
	}
	ASSERT_SPINNER(self->cg, word);
	snprintf(instance, sizeof(instance), "%s/instances/freezer_selftest",
		 tracefs);
	rmdir(instance);
	ASSERT_EQ(0, mkdir(instance, 0700));
	EXPECT_EQ(0, frz_write(instance, "events/workqueue/enable", "1"));
	EXPECT_STREQ("", frz_freezes(self->cg));
	frz_until_busy((frz_sleep_ms(10),
			begun = looks(instance, LOOK_BEGINS),
			ended = looks(instance, LOOK_ENDS),
			begun && begun == ended), FRZ_LIMIT);
	EXPECT_LT(0, begun) {
		TH_LOG("nobody has looked at the spinner");
	}
	EXPECT_EQ(begun, ended);
	frz_sleep_ms(10 * FRZ_WATCH);
	EXPECT_STATE(self->cg, "FROZEN");
	EXPECT_EQ(begun, looks(instance, LOOK_BEGINS));
	EXPECT_STREQ("", frz_thaws(self->cg));
	frz_sleep_ms(10 * FRZ_WATCH);
	EXPECT_EQ(begun, looks(instance, LOOK_BEGINS));
	EXPECT_EQ(0, frz_write(instance, "events/workqueue/enable", "0"));
	EXPECT_EQ(0, rmdir(instance));
}

TEST_HARNESS_MAIN
