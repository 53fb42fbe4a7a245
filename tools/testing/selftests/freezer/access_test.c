// SPDX-License-Identifier: GPL-2.0
/*
 * Who may use the files.
 *
 * Clauses: C15.
 */
#include <grp.h>
#include <sys/stat.h>

#include "freezer_test.h"

#define NOBODY	65534

struct attempt {
	const char *path;
	const char *file;
	const char *text;
};

/* Write as nobody: the exit status is the errno. */
static int write_as_nobody(void *arg)
{
	struct attempt *a = arg;

	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return 255;
	if (a->text)
		return -frz_write(a->path, a->file, a->text);
	return strncmp("freezer.", frz_content(a->path, a->file), 8) ? 0 : 1;
}

static int as_nobody(const char *path, const char *file, const char *text)
{
	struct attempt a = { .path = path, .file = file, .text = text };
	int status;

	status = frz_wait_exit(frz_spawn(NULL, write_as_nobody, &a), FRZ_LIMIT);
	if (status < 0)
		return status;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EINTR;
}

/*
 * The modes are those of the documentation: writable for the owner where a
 * write means something, readable for all.
 */
FREEZER_TEST(modes)
{
	static const struct {
		const char *file;
		int mode;
	} files[] = {
		{ "freezer.state", 0644 },
		{ "freezer.timeout_ms", 0644 },
		{ "freezer.killable", 0644 },
		{ "freezer.checkpoint", 0644 },
		{ "freezer.per_namespace", 0644 },
		{ "freezer.per_namespace_max", 0644 },
		{ "freezer.self_freezing", 0444 },
		{ "freezer.parent_freezing", 0444 },
		{ "freezer.blockers", 0444 },
		{ "freezer.stat", 0444 },
		{ NULL },
	};
	char name[FRZ_PATH_MAX + 64];
	struct stat st;
	int i;

	for (i = 0; files[i].file; i++) {
		snprintf(name, sizeof(name), "%s/%s", self->cg, files[i].file);
		EXPECT_EQ(0, stat(name, &st)) {
			TH_LOG("%s: %s", name, strerror(errno));
			continue;
		}
		EXPECT_EQ(files[i].mode, st.st_mode & 07777) {
			TH_LOG("mode of %s", name);
		}
		EXPECT_EQ(0, as_nobody(self->cg, files[i].file, NULL)) {
			TH_LOG("nobody cannot read %s", name);
		}
	}
}

/*
 * An unprivileged user can neither freeze, thaw nor hold somebody else's cgroup,
 * nor change its time limit, nor what a kill does there.
 */
FREEZER_TEST(others_cannot_write)
{
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "freezer.state", "FROZEN"));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "freezer.timeout_ms", "1"));
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "freezer.killable", "1"));
	ASSERT_FREEZES(self->cg);
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "freezer.checkpoint", ""));
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "freezer.state", "THAWED"));
	EXPECT_STATE(self->cg, "FROZEN");
}

/*
 * After chown of the files the new owner can, even tasks of root: who may write
 * may use.
 */
FREEZER_TEST(owner_can_write)
{
	unsigned long *word = ASSERT_WORDS(1);
	char name[FRZ_PATH_MAX + 64];

	ASSERT_SPINNER(self->cg, word);
	snprintf(name, sizeof(name), "%s/freezer.state", self->cg);
	ASSERT_EQ(0, chown(name, NOBODY, NOBODY));
	EXPECT_EQ(0, as_nobody(self->cg, "freezer.state", "FROZEN"));
	ASSERT_BECOMES(self->cg, "FROZEN");
	EXPECT_STANDS(word);
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "freezer.timeout_ms", "1"));
	EXPECT_EQ(0, as_nobody(self->cg, "freezer.state", "THAWED"));
	EXPECT_STATE(self->cg, "THAWED");
	EXPECT_RUNS(word);
}

TEST_HARNESS_MAIN
