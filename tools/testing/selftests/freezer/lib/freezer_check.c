// SPDX-License-Identifier: GPL-2.0
/*
 * The cgroup of a test, and the checks that most of them make.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "freezer_check.h"
#include "freezer_v2.h"

static pid_t main_pid;

static void group_name(char *name, size_t size)
{
	snprintf(name, size, "selftest_%s", program_invocation_short_name);
}

int frz_group_below(char cg[FRZ_PATH_MAX], const char *root)
{
	char name[64];
	int err;

	group_name(name, sizeof(name));
	err = frz_create(cg, root, name);
	if (err != -EEXIST)
		return err;
	err = frz_destroy(cg, FRZ_LIMIT);
	return err ? err : frz_create(cg, root, name);
}

int frz_group_make(char cg[FRZ_PATH_MAX])
{
	int err = frz_setup();

	return err ? err : frz_group_below(cg, frz_root());
}

int frz_group_end(const char *cg)
{
	return frz_destroy(cg, FRZ_LIMIT);
}

bool frz_list_is_unjudged(struct frz_lists *lists, int64_t freeze_ns, int64_t lost_ns)
{
	bool lost = lost_ns >= FRZ_LISTS_LOST_MS * 1000000LL;

	/* less than 100 ms by the time that the clock of the ticks may lag */
	if (frz_hierarchies() != FRZ_IN_V1 || freeze_ns < 60 * 1000000)
		return false;
	if (lost && lists->nr_lost < FRZ_LISTS_LOST)
		lists->nr_lost++;
	else if (lists->nr - lists->nr_lost >= FRZ_LISTS_UNJUDGED)
		return false;
	lists->nr++;
	return true;
}

bool frz_is_main(void)
{
	return getpid() == main_pid;
}

__attribute__((constructor)) static void begin(void)
{
	main_pid = getpid();
}

/* The last test may have been killed, too. */
__attribute__((destructor)) static void end(void)
{
	char path[FRZ_PATH_MAX + 64], name[64];

	if (!frz_is_main() || frz_setup())
		return;
	group_name(name, sizeof(name));
	snprintf(path, sizeof(path), "%s/%s", frz_root(), name);
	frz_destroy(path, FRZ_LIMIT);
}

const char *frz_content(const char *path, const char *file)
{
	static char buf[8192];
	int err = frz_read(path, file, buf, sizeof(buf));

	if (err)
		snprintf(buf, sizeof(buf), "%s: %s", file, strerror(-err));
	return buf;
}

int64_t frz_or_missing(const char *path, int64_t value, int64_t want)
{
	return value == -ENOENT && frz_is_v2(path) ? want : value;
}

bool frz_killable(const char *path)
{
	return !strcmp(frz_content(path, "freezer.killable"), "1");
}

const char *frz_describe(const char *path)
{
	static char buf[1200];
	char state[64], who[1024];

	if (frz_read(path, "freezer.state", state, sizeof(state)))
		strcat(state, "no state");
	if (frz_read(path, "freezer.blockers", who, sizeof(who)))
		strcat(who, "no such file");
	snprintf(buf, sizeof(buf), "%s, blockers: '%s'", state, who);
	return buf;
}

const char *frz_becomes(const char *path, const char *state, int timeout_ms)
{
	return frz_wait_state(path, state, timeout_ms) ?
	       frz_describe(path) : "";
}

const char *frz_freezes(const char *path)
{
	int err = frz_freeze(path);

	return err == -EBUSY ? frz_describe(path) :
	       err ? strerror(-err) : frz_becomes(path, "FROZEN", FRZ_AT_ONCE);
}

const char *frz_thaws(const char *path)
{
	int err = frz_thaw(path);

	return err ? strerror(-err) :
	       frz_state_is(path, "THAWED") == 1 ? "" : frz_describe(path);
}

pid_t frz_spinner(const char *path, unsigned long *word)
{
	pid_t pid = frz_spawn(path, frz_spin, word);
	int err = pid < 0 ? pid : frz_wait_move(word, FRZ_LIMIT);

	return err ? err : pid;
}

pid_t frz_sleeper(const char *path, unsigned long *word)
{
	unsigned long before = frz_load(word);
	pid_t pid = frz_spawn(path, frz_sleep, word);
	int err = pid < 0 ? pid : 0;

	if (!err)
		err = frz_wait_word(word, before + 1, FRZ_LIMIT);
	if (!err)
		err = frz_wait_asleep(pid, FRZ_LIMIT);
	return err ? err : pid;
}

pid_t frz_busy_one(const char *path, struct frz_busy *busy)
{
	pid_t pid = busy ? frz_spawn(path, frz_busy, busy) : -ENOMEM;
	int err = pid < 0 ? pid : frz_busy_wait(busy, FRZ_LIMIT);

	return err ? err : pid;
}

const char *becomes_content(const char *path, const char *file,
			    const char *content)
{
	return frz_until(!strcmp(frz_content(path, file), content), FRZ_LIMIT) ?
	       "" : frz_content(path, file);
}

int wait_task_state(pid_t tid, int state)
{
	bool in_time;
	int seen;

	in_time = frz_until((seen = frz_task_state(tid)) < 0 || seen == state,
			    FRZ_LIMIT);
	return !in_time ? -ETIMEDOUT : seen < 0 ? seen : 0;
}
