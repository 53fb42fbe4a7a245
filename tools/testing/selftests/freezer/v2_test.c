// SPDX-License-Identifier: GPL-2.0
/*
 * cgroup v2: the files cgroup.freeze, cgroup.events and cgroup.stat.local, and the
 * tree of cgroups. v2_task_test.c is about tasks.
 *
 * The groups are in cgroup v2 in each world. The tests of v1 run on it as well:
 * make test WORLD=v2. Here is what only v2 has, and what its clients count on.
 *
 * Clauses: U1, U2, U4, U5, U6, U7, U8, U9, U10, U11, U18, U19, U22.
 */
#include <mntent.h>
#include <poll.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "v2_fixture.h"

#define NOBODY		65534

/* One write(2) of @size bytes: what it gave, or -errno. */
static ssize_t write_bytes(const char *path, const void *bytes, size_t size)
{
	char name[FRZ_PATH_MAX + 32];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s/" FREEZE, path);
	fd = open(name, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = write(fd, bytes, size);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

/*
 * U1. The file: mode, the first value, not in the root. Accepted: a number as
 * kstrtoint() reads it, with blanks and NULs around. A text that is refused,
 * with the error of mainline, changes nothing, in both states.
 */
V2_TEST(the_file)
{
	static const char * const good[2][5] = {
		{ "0", "0\n", " 0 ", "0x0", "00" },
		{ "1", "1\n", "\t1", "0x1", "+1" },
	};
	static const struct {
		const char *text;
		int err;
	} bad[] = {
		{ "2", -ERANGE }, { "-1", -ERANGE }, { "2147483647", -ERANGE },
		{ "2147483648", -ERANGE }, { "99999999999999999999", -ERANGE },
		{ "\n", -EINVAL }, { " ", -EINVAL }, { "1x", -EINVAL },
		{ "x", -EINVAL }, { "1 0", -EINVAL }, { "1\n0", -EINVAL },
		{ "FROZEN", -EINVAL }, { "THAWED", -EINVAL },
		{ "yes", -EINVAL }, { "0.5", -EINVAL }, { "--1", -EINVAL },
	};
	char name[FRZ_PATH_MAX + 32], text[32] = {}, big[5000];
	int fd, value;
	struct stat st;
	size_t i;

	snprintf(name, sizeof(name), "%s/" FREEZE, self->cg);
	ASSERT_EQ(0, stat(name, &st));
	EXPECT_EQ(0644, st.st_mode & 07777);
	snprintf(name, sizeof(name), "%s/" FREEZE, frz2_root());
	EXPECT_EQ(-1, access(name, F_OK));
	EXPECT_FILE(self->cg, FREEZE, "0");
	EXPECT_FROZEN(0, self->cg);

	memset(big, '1', sizeof(big));
	for (value = 1; value >= 0; value--) {
		const char *is = value ? "1" : "0";

		for (i = 0; i < ARRAY_SIZE(good[value]); i++) {
			ASSERT_REQUEST(self->cg, !value);
			EXPECT_EQ(0, frz_write(self->cg, FREEZE, good[value][i])) {
				TH_LOG("written: '%s'", good[value][i]);
			}
			EXPECT_FILE(self->cg, FREEZE, is);
		}
		ASSERT_REQUEST(self->cg, !value);
		text[0] = *is;
		EXPECT_EQ(sizeof(text), write_bytes(self->cg, text, sizeof(text)));
		EXPECT_FILE(self->cg, FREEZE, is);
		EXPECT_FROZEN(value, self->cg);

		fd = ASSERT_ARMED(self->cg);
		for (i = 0; i < ARRAY_SIZE(bad); i++) {
			EXPECT_EQ(bad[i].err,
				  frz_write(self->cg, FREEZE, bad[i].text)) {
				TH_LOG("written: '%s'", bad[i].text);
			}
			EXPECT_FILE(self->cg, FREEZE, is);
		}
		EXPECT_EQ(-E2BIG, write_bytes(self->cg, big, sizeof(big)));
		EXPECT_FILE(self->cg, FREEZE, is);
		EXPECT_FROZEN(value, self->cg);
		EXPECT_NO_EVENT(fd);
		close(fd);
	}
}

/*
 * U1. A descriptor that outlives its cgroup gives ENODEV, for both files.
 */
V2_TEST(removed_cgroup)
{
	char sub[FRZ_PATH_MAX], name[FRZ_PATH_MAX + 32], buf[64];
	int fd, events;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	snprintf(name, sizeof(name), "%s/" FREEZE, sub);
	fd = open(name, O_RDWR | O_CLOEXEC);
	ASSERT_LE(0, fd);
	events = frz_arm(sub);
	ASSERT_LE(0, events);
	ASSERT_EQ(1, write(fd, "1", 1));
	ASSERT_EQ(0, rmdir(sub));
	EXPECT_EQ(-1, write(fd, "0", 1));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, read(fd, buf, sizeof(buf)));
	EXPECT_EQ(ENODEV, errno);
	EXPECT_EQ(-1, pread(events, buf, sizeof(buf), 0));
	EXPECT_EQ(ENODEV, errno);
	close(fd);
	close(events);
}

/*
 * U2. Neither write waits for a task that is in one long call: after both of them
 * it is still in there, "frozen" is 0 and the request stands. The call is not cut,
 * and "frozen 1" comes without another write.
 */
V2_TEST(asynchronous)
{
	struct frz_busy *busy = frz_busy_new(6000);
	int64_t begin;

	ASSERT_BUSY(self->cg, busy);
	begin = frz_now_ns();
	ASSERT_REQUEST(self->cg, 1);
	ASSERT_REQUEST(self->cg, 0);
	ASSERT_REQUEST(self->cg, 1);
	EXPECT_FROZEN(0, self->cg);
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_GT(2500, ms_since(begin));
	EXPECT_FILE(self->cg, FREEZE, "1");
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, 60000));
	EXPECT_EQ(1, frz_load(&busy->calls));
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_EQ(0, frz_wait_word(&busy->returns, 1, FRZ_LIMIT));
	EXPECT_EQ(0, frz_load(&busy->cut));
}

/*
 * U4. "frozen 1" of a cgroup is said of all that is in it. One task is in a long
 * call, on top, below, or beside one that sleeps; while it runs there, "frozen" is
 * 0 for each cgroup above it, and 1 at once for those without it.
 *
 *	cg	one of the two
 *	 |- a	one of the two
 *	 `- b	one of the two
 */
FIXTURE(layout) {
	char cg[FRZ_PATH_MAX];
};

FIXTURE_VARIANT(layout) {
	int busy;	/* 0: cg, 1: a, 2: b */
	int sleeper;
};

FIXTURE_VARIANT_ADD(layout, busy_above) { .busy = 0, .sleeper = 1 };
FIXTURE_VARIANT_ADD(layout, busy_below) { .busy = 1, .sleeper = 0 };
FIXTURE_VARIANT_ADD(layout, busy_beside) { .busy = 1, .sleeper = 2 };
FIXTURE_VARIANT_ADD(layout, together) { .busy = 0, .sleeper = 0 };

FIXTURE_SETUP(layout)
{
	V2_GROUP_MAKE(self->cg);
}

FIXTURE_TEARDOWN(layout)
{
	FRZ_GROUP_END(self->cg);
}

TEST_F_TIMEOUT(layout, honest, 90)
{
	struct frz_busy *busy = frz_busy_new(3000);
	unsigned long *word = ASSERT_WORDS(1);
	char path[3][FRZ_PATH_MAX];
	pid_t pid;
	int i;

	memcpy(path[0], self->cg, FRZ_PATH_MAX);
	ASSERT_EQ(0, frz_create(path[1], self->cg, "a"));
	ASSERT_EQ(0, frz_create(path[2], self->cg, "b"));
	ASSERT_SLEEPER(path[variant->sleeper], word);
	pid = ASSERT_BUSY(path[variant->busy], busy);
	ASSERT_REQUEST(self->cg, 1);
	for (i = 0; i < 3; i++) {
		EXPECT_EQ(i && i != variant->busy, frz2_frozen(path[i])) {
			TH_LOG("cgroup %d, busy in %d", i, variant->busy);
		}
	}
	ASSERT_TRUE(frz_until(frz2_frozen(self->cg), 60000));
	ASSERT_NE('R', frz_task_state(pid)) {
		TH_LOG("frozen 1, and a task of it is running");
	}
	for (i = 0; i < 3; i++)
		EXPECT_FROZEN(1, path[i]);
}

/*
 * U5. A cgroup without tasks is frozen before the write returns, at each level.
 */
V2_TEST(empty)
{
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];
	int i;

	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, a, "b"));
	for (i = 0; i < 200; i++) {
		ASSERT_REQUEST(self->cg, 1);
		ASSERT_FROZEN(1, self->cg);
		ASSERT_FROZEN(1, a);
		ASSERT_FROZEN(1, b);
		ASSERT_REQUEST(self->cg, 0);
		ASSERT_FROZEN(0, self->cg);
		ASSERT_FROZEN(0, b);
	}
}

/*
 * U6. The writes that make an event. Each that changes "frozen", and one that
 * cannot, as a cgroup above is frozen; none for the same value again; none for
 * a request that is withdrawn on its way.
 *
 *	cg
 *	 |- sub		watched, a task that sleeps
 *	 `- way		watched, a task in a long call
 */
V2_TEST(events)
{
	struct frz_busy *busy = frz_busy_new(20000);
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX], way[FRZ_PATH_MAX];
	int fd, top;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_EQ(0, frz_create(way, self->cg, "way"));
	ASSERT_SLEEPER(sub, word);
	top = ASSERT_ARMED(self->cg);
	fd = ASSERT_ARMED(sub);

	ASSERT_EQ(0, frz_freeze(sub));
	EXPECT_EVENT(fd);
	EXPECT_NO_EVENT(fd);
	ASSERT_REQUEST(sub, 1);
	EXPECT_NO_EVENT(fd);
	ASSERT_REQUEST(sub, 0);
	EXPECT_EVENT(fd);
	ASSERT_REQUEST(sub, 0);
	EXPECT_NO_EVENT(fd);
	EXPECT_NO_EVENT(top);

	/* from above */
	ASSERT_EQ(0, frz_freeze(self->cg));
	EXPECT_EVENT(top);
	EXPECT_EVENT(fd);
	ASSERT_REQUEST(sub, 1);
	EXPECT_EVENT(fd);
	ASSERT_REQUEST(sub, 1);
	EXPECT_NO_EVENT(fd);
	ASSERT_REQUEST(sub, 0);
	EXPECT_EVENT(fd);
	EXPECT_FROZEN(1, sub);
	ASSERT_REQUEST(sub, 0);
	EXPECT_NO_EVENT(fd);
	EXPECT_NO_EVENT(top);
	/* the own request keeps it frozen, so this changes nothing */
	ASSERT_REQUEST(sub, 1);
	EXPECT_EVENT(fd);
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_EVENT(top);
	EXPECT_NO_EVENT(fd);
	EXPECT_FROZEN(1, sub);
	ASSERT_REQUEST(sub, 0);
	EXPECT_EVENT(fd);
	close(fd);

	ASSERT_BUSY(way, busy);
	fd = ASSERT_ARMED(way);
	ASSERT_REQUEST(way, 1);
	EXPECT_FROZEN(0, way);
	ASSERT_REQUEST(way, 0);
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_NO_EVENT(fd);
	close(fd);
	close(top);
}

/*
 * U6. No rate limit: in two hundred changes as fast as they can be written each
 * event is there when the write has returned.
 */
V2_TEST(events_at_once)
{
	int fd = ASSERT_ARMED(self->cg);
	int i, missed = 0;

	for (i = 0; i < 100; i++) {
		ASSERT_REQUEST(self->cg, 1);
		missed += !!frz_wait_event(fd, 0);
		ASSERT_REQUEST(self->cg, 0);
		missed += !!frz_wait_event(fd, 0);
	}
	EXPECT_EQ(0, missed) {
		TH_LOG("%d of 200 events were late or lost", missed);
	}
	close(fd);
}

/*
 * U6. IN_MODIFY of inotify, for a change that came from a write to another file,
 * and from a task that came to rest.
 */
V2_TEST(inotify)
{
	unsigned long *word = ASSERT_WORDS(1);
	char name[FRZ_PATH_MAX + 32], buf[4096];
	struct inotify_event *ev = (void *)buf;
	struct pollfd pfd = { .events = POLLIN };
	int i;

	ASSERT_SPINNER(self->cg, word);
	close(ASSERT_ARMED(self->cg));
	snprintf(name, sizeof(name), "%s/" EVENTS, self->cg);
	pfd.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	ASSERT_LE(0, pfd.fd);
	ASSERT_LE(0, inotify_add_watch(pfd.fd, name, IN_MODIFY));
	for (i = 1; i <= 6; i++) {
		ASSERT_REQUEST(self->cg, i & 1);
		ASSERT_EQ(1, poll(&pfd, 1, FRZ_FREEZE)) {
			TH_LOG("no event for change %d", i);
		}
		ASSERT_LE((ssize_t)sizeof(*ev), read(pfd.fd, buf, sizeof(buf)));
		EXPECT_EQ(IN_MODIFY, ev->mask);
		EXPECT_FROZEN(i & 1, self->cg);
	}
	close(pfd.fd);
}

/*
 * U7. When the write of 0 has returned, "frozen" is 0 at the first look, here and
 * below, and the tasks go on, each time.
 */
V2_TEST(thaw)
{
	unsigned long *word = ASSERT_WORDS(2);
	char sub[FRZ_PATH_MAX];
	int i;

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_SPINNER(self->cg, &word[0]);
	ASSERT_SPINNER(sub, &word[1]);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, frz_freeze(self->cg));
		ASSERT_FROZEN(1, sub);
		ASSERT_EQ(0, frz_moved(&word[0], 2));
		ASSERT_EQ(0, frz_moved(&word[1], 2));
		ASSERT_REQUEST(self->cg, 0);
		ASSERT_FROZEN(0, self->cg);
		ASSERT_FROZEN(0, sub);
		ASSERT_EQ(0, frz_wait_move(&word[0], FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_move(&word[1], FRZ_LIMIT));
	}
}

/*
 * U8. A cgroup is frozen while it or one above asks, and what it asks itself
 * outlives what is asked above.
 *
 *	cg
 *	 `- a
 *	     `- b	a task that spins
 */
V2_TEST(hierarchy)
{
	unsigned long *word = ASSERT_WORDS(1);
	char a[FRZ_PATH_MAX], b[FRZ_PATH_MAX];

	ASSERT_EQ(0, frz_create(a, self->cg, "a"));
	ASSERT_EQ(0, frz_create(b, a, "b"));
	ASSERT_SPINNER(b, word);
	ASSERT_EQ(0, frz_freeze(b));
	EXPECT_FROZEN(0, a);
	ASSERT_EQ(0, frz_freeze(self->cg));
	EXPECT_FROZEN(1, a);
	EXPECT_FILE(a, FREEZE, "0");
	EXPECT_FILE(b, FREEZE, "1");
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_FROZEN(0, self->cg);
	EXPECT_FROZEN(0, a);
	EXPECT_FROZEN(1, b);
	EXPECT_FILE(b, FREEZE, "1");
	EXPECT_STANDS(word);

	ASSERT_EQ(0, frz_freeze(a));
	ASSERT_REQUEST(b, 0);
	EXPECT_FROZEN(1, b);
	EXPECT_STANDS(word);
	ASSERT_REQUEST(a, 0);
	EXPECT_FROZEN(0, b);
	EXPECT_RUNS(word);
}

/*
 * U9. mkdir below a frozen cgroup gives a frozen one, and tells nobody above;
 * rmdir of it works. Both work as well while the cgroup is on its way.
 */
V2_TEST(tree)
{
	struct frz_busy *busy = frz_busy_new(4000);
	unsigned long *word = ASSERT_WORDS(1);
	char sub[FRZ_PATH_MAX];
	int fd, i;

	ASSERT_SLEEPER(self->cg, word);
	ASSERT_EQ(0, frz_freeze(self->cg));
	fd = ASSERT_ARMED(self->cg);
	for (i = 0; i < 50; i++) {
		ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
		ASSERT_FROZEN(1, sub);
		ASSERT_EQ(0, strcmp("0", frz_content(sub, FREEZE)));
		ASSERT_EQ(0, rmdir(sub));
		ASSERT_FROZEN(1, self->cg);
	}
	EXPECT_NO_EVENT(fd);
	close(fd);
	ASSERT_REQUEST(self->cg, 0);
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	EXPECT_FROZEN(0, sub);
	ASSERT_EQ(0, rmdir(sub));

	ASSERT_BUSY(self->cg, busy);
	ASSERT_REQUEST(self->cg, 1);
	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	EXPECT_FROZEN(1, sub);
	EXPECT_FROZEN(0, self->cg);
	ASSERT_EQ(0, rmdir(sub));
	EXPECT_EQ(0, frz_load(&busy->returns));
	EXPECT_EQ(0, frz2_wait_frozen(self->cg, 60000));
}

/* As <linux/sched.h> has it, which does not go with <sched.h> everywhere. */
struct clone3_args {
	uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack,
		 stack_size, tls, set_tid, set_tid_size, cgroup;
};

#ifndef SYS_clone3
#define SYS_clone3	435
#endif
#define CLONE3_INTO_CGROUP	0x200000000ULL

/* A child that is born in the cgroup @fd; adds to @word before all else. */
static pid_t clone_into(int fd, unsigned long *word)
{
	struct clone3_args args = {
		.flags = CLONE3_INTO_CGROUP,
		.exit_signal = SIGCHLD,
		.cgroup = fd,
	};
	pid_t pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid) {
		for (;;)
			frz_inc(word);
	}
	return pid < 0 ? -errno : pid;
}

/*
 * U10. Five hundred tasks are cloned into a frozen cgroup that has a sleeper: none
 * runs an instruction in user mode, "frozen" is 1 at the first look after each, no
 * event comes, and each dies of SIGKILL while it is frozen. The last one runs after
 * the thaw.
 */
V2_TEST(birth)
{
	unsigned long *word = ASSERT_WORDS(2);
	int dir, fd, i, flickers = 0;
	pid_t pid = 0;

	ASSERT_SLEEPER(self->cg, &word[1]);
	ASSERT_EQ(0, frz_freeze(self->cg));
	dir = open(self->cg, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ASSERT_LE(0, dir);
	fd = ASSERT_ARMED(self->cg);
	for (i = 0; i < 500; i++) {
		pid = clone_into(dir, &word[0]);
		ASSERT_LT(0, pid) {
			TH_LOG("clone3: %s", strerror(-pid));
		}
		flickers += frz2_frozen(self->cg) != 1;
		if (i == 499)
			break;
		ASSERT_EQ(0, kill(pid, SIGKILL));
		ASSERT_EQ(SIGKILL, frz_wait_exit(pid, FRZ_LIMIT));
		flickers += frz2_frozen(self->cg) != 1;
	}
	EXPECT_EQ(0, flickers);
	EXPECT_NO_EVENT(fd);
	EXPECT_EQ(0, frz_load(word));
	EXPECT_FROZEN(1, self->cg);
	ASSERT_REQUEST(self->cg, 0);
	EXPECT_RUNS(word);
	close(fd);
	close(dir);
}

/*
 * Look for @ms: a counter that moved between two looks that both said "frozen 1" is
 * an escape. How many, or -1 when it was not frozen at all.
 */
static int escapes(const char *path, const unsigned long *word, int ms)
{
	int64_t end = frz_now_ns() + ms * 1000000LL;
	int num = 0, looks = 0;
	unsigned long seen;

	do {
		if (frz2_frozen(path) != 1)
			continue;
		seen = frz_load(word);
		usleep(200);
		if (frz_load(word) == seen)
			looks++;
		else if (frz2_frozen(path) == 1)
			num++;
	} while (frz_now_ns() < end);
	return looks || num ? num : -1;
}

/*
 * U11. A task that spins is moved in, thirty times: its counter stands while it
 * says "frozen 1", which comes again in time. One that sleeps leaves it at 1 and
 * makes no event. Moved out each goes on, and the cgroup stays frozen.
 *
 *	cg
 *	 |- frozen	a sleeper of its own
 *	 `- thawed
 */
V2_TEST(migration)
{
	char frozen[FRZ_PATH_MAX], thawed[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(3);
	pid_t pid, sleeper;
	int i, fd;

	ASSERT_EQ(0, frz_create(frozen, self->cg, "frozen"));
	ASSERT_EQ(0, frz_create(thawed, self->cg, "thawed"));
	ASSERT_SLEEPER(frozen, &word[1]);
	pid = ASSERT_SPINNER(thawed, &word[0]);
	sleeper = ASSERT_SLEEPER(thawed, &word[2]);
	ASSERT_EQ(0, frz_freeze(frozen));

	fd = ASSERT_ARMED(frozen);
	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, frz_move_process(frozen, sleeper));
		ASSERT_FROZEN(1, frozen);
		ASSERT_EQ(0, frz_move_process(thawed, sleeper));
		ASSERT_FROZEN(1, frozen);
	}
	EXPECT_NO_EVENT(fd);
	close(fd);

	for (i = 0; i < 30; i++) {
		ASSERT_EQ(0, frz_move_process(frozen, pid));
		ASSERT_LE(escapes(frozen, word, 2), 0) {
			TH_LOG("round %d: ran while frozen", i);
		}
		ASSERT_EQ(0, frz2_wait_frozen(frozen, FRZ_FREEZE));
		ASSERT_EQ(0, escapes(frozen, word, 3));
		ASSERT_EQ(0, frz_move_process(thawed, pid));
		ASSERT_EQ(0, frz_wait_move(word, FRZ_LIMIT));
		ASSERT_FROZEN(1, frozen);
	}
	EXPECT_FROZEN(0, thawed);
}

struct as_other {
	const char *path;
	const char *text;
};

static int write_as_nobody(void *arg)
{
	struct as_other *a = arg;

	if (setgid(NOBODY) || setuid(NOBODY))
		return 127;
	return -frz_write(a->path, FREEZE, a->text);
}

/* What a write of @text gives to an unprivileged user. */
static int as_nobody(const char *path, const char *text)
{
	struct as_other a = { path, text };
	pid_t pid = frz_spawn(NULL, write_as_nobody, &a);

	return pid < 0 ? pid : frz_writer_result(pid, FRZ_LIMIT);
}

/*
 * U18. The permissions of the file decide. A user who was given the cgroup below
 * freezes it, but not the one above; whoever owns that can thaw the one below, move
 * its tasks out, and kill them, whatever the user has written.
 *
 *	cg		of root
 *	 `- sub		of nobody, two tasks
 */
V2_TEST(delegation)
{
	unsigned long *word = ASSERT_WORDS(2);
	char sub[FRZ_PATH_MAX], name[FRZ_PATH_MAX + 32];
	pid_t pid[2];

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	pid[0] = ASSERT_SPINNER(sub, &word[0]);
	pid[1] = ASSERT_SPINNER(sub, &word[1]);
	EXPECT_EQ(-EACCES, as_nobody(sub, "1"));
	EXPECT_FILE(sub, FREEZE, "0");
	snprintf(name, sizeof(name), "%s/" FREEZE, sub);
	ASSERT_EQ(0, chown(name, NOBODY, NOBODY));
	EXPECT_EQ(0, as_nobody(sub, "1"));
	EXPECT_EQ(0, frz2_wait_frozen(sub, FRZ_FREEZE));
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "1"));
	EXPECT_FROZEN(0, self->cg);

	ASSERT_REQUEST(sub, 0);
	EXPECT_RUNS(&word[0]);
	EXPECT_EQ(0, as_nobody(sub, "1"));
	EXPECT_EQ(0, frz2_wait_frozen(sub, FRZ_FREEZE));
	ASSERT_EQ(0, frz_move_process(self->cg, pid[0]));
	EXPECT_RUNS(&word[0]);
	ASSERT_EQ(0, kill(pid[1], SIGKILL));
	EXPECT_EQ(SIGKILL, frz_wait_exit(pid[1], FRZ_LIMIT));

	ASSERT_EQ(0, frz_freeze(self->cg));
	EXPECT_EQ(-EACCES, as_nobody(self->cg, "0"));
	EXPECT_EQ(0, as_nobody(sub, "0"));
	EXPECT_FROZEN(1, sub);
	EXPECT_STANDS(&word[0]);
}

/*
 * The mount of cgroup v2, with the option nsdelegate or as it was: the options are
 * those of the hierarchy, so they are given back.
 */
FIXTURE(nsdelegate) {
	char cg[FRZ_PATH_MAX];
	char options[256];
	bool changed;
};

static int remount(const char *options)
{
	return mount("none", frz2_root(), NULL, MS_REMOUNT, options) ? -errno : 0;
}

/* The options of the hierarchy, without those that each mount has; or -errno. */
static int read_options(char *options, size_t size)
{
	static const char vfs[] = ",rw,relatime,";
	FILE *f = setmntent("/proc/self/mounts", "re");
	char *word, *save = NULL, item[64];
	struct mntent *ent;
	int err = -ENOENT;

	options[0] = 0;
	while (f && err && (ent = getmntent(f))) {
		if (strcmp(ent->mnt_dir, frz2_root()))
			continue;
		err = 0;
		for (word = strtok_r(ent->mnt_opts, ",", &save); word;
		     word = strtok_r(NULL, ",", &save)) {
			snprintf(item, sizeof(item), ",%s,", word);
			if (strstr(vfs, item))
				continue;
			/* A mount with nosuid and the like is left alone. */
			if (!strncmp(word, "no", 2) || !strcmp(word, "ro"))
				err = -EPERM;
			if (strlen(options) + strlen(word) + 2 > size)
				err = -E2BIG;
			else
				sprintf(options + strlen(options), "%s%s",
					options[0] ? "," : "", word);
		}
	}
	if (f)
		endmntent(f);
	return err;
}

FIXTURE_SETUP(nsdelegate)
{
	char options[300];
	int err;

	V2_GROUP_MAKE(self->cg);
	err = read_options(self->options, sizeof(self->options));
	if (err)
		SKIP(return, "the mount of cgroup v2: %s", strerror(-err));
	if (strstr(self->options, "nsdelegate"))
		return;
	snprintf(options, sizeof(options), "%s%snsdelegate", self->options,
		 self->options[0] ? "," : "");
	err = remount(options);
	if (err)
		SKIP(return, "remount with nsdelegate: %s", strerror(-err));
	self->changed = true;
}

FIXTURE_TEARDOWN(nsdelegate)
{
	int err = self->changed ? remount(self->options) : 0;

	EXPECT_EQ(0, err);
	FRZ_GROUP_END(self->cg);
}

struct in_namespace {
	const char *top;
	const char *below;
	unsigned long done;
	int result[3];
};

/* The cgroup that it is in becomes the root of its namespace. */
static int freeze_from_inside(void *arg)
{
	struct in_namespace *n = arg;

	if (unshare(CLONE_NEWCGROUP))
		return 1;
	n->result[0] = frz2_request(n->top, 1);
	n->result[1] = frz2_request(n->below, 1);
	n->result[2] = frz2_request(n->below, 0);
	frz_inc(&n->done);
	return 0;
}

/*
 * U1, U18. With nsdelegate nobody freezes the root of his own namespace, and each
 * cgroup below it can be frozen from there.
 */
TEST_F_TIMEOUT(nsdelegate, root_of_a_namespace, 90)
{
	struct in_namespace *n = frz_shared(sizeof(*n));
	char below[FRZ_PATH_MAX];
	pid_t pid;

	ASSERT_NE(NULL, n);
	ASSERT_EQ(0, frz_create(below, self->cg, "below"));
	n->top = self->cg;
	n->below = below;
	pid = ASSERT_PID(frz_spawn(self->cg, freeze_from_inside, n));
	EXPECT_EQ(0, frz_wait_exit(pid, FRZ_LIMIT));
	EXPECT_EQ(1, frz_load(&n->done));
	EXPECT_EQ(-EPERM, n->result[0]);
	EXPECT_EQ(0, n->result[1]);
	EXPECT_EQ(0, n->result[2]);
	EXPECT_FILE(self->cg, FREEZE, "0");
	EXPECT_FROZEN(0, self->cg);
}

/*
 * U19. The root has no such file, and a cgroup beside is not touched: its task runs
 * and its events do not tell of anything.
 */
V2_TEST(outside)
{
	char in[FRZ_PATH_MAX], out[FRZ_PATH_MAX];
	unsigned long *word = ASSERT_WORDS(3);
	int fd, top, i;

	EXPECT_EQ(-ENOENT, frz2_request(frz2_root(), 1));
	EXPECT_EQ(-ENOENT, frz2_key(frz2_root(), EVENTS, "frozen"));
	ASSERT_EQ(0, frz_create(in, self->cg, "in"));
	ASSERT_EQ(0, frz_create(out, self->cg, "out"));
	ASSERT_SPINNER(in, &word[0]);
	ASSERT_SPINNER(out, &word[1]);
	ASSERT_SPINNER(self->cg, &word[2]);
	fd = ASSERT_ARMED(out);
	top = ASSERT_ARMED(self->cg);
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, frz_freeze(in));
		ASSERT_FROZEN(0, out);
		ASSERT_FROZEN(0, self->cg);
		ASSERT_EQ(0, frz_moved(&word[0], 2));
		ASSERT_EQ(0, frz_wait_move(&word[1], FRZ_LIMIT));
		ASSERT_EQ(0, frz_wait_move(&word[2], FRZ_LIMIT));
		ASSERT_REQUEST(in, 0);
	}
	EXPECT_NO_EVENT(fd);
	EXPECT_NO_EVENT(top);
	close(fd);
	close(top);
}

static int64_t frozen_usec(const char *path)
{
	return frz2_key(path, "cgroup.stat.local", "frozen_usec");
}

/*
 * U22. frozen_usec: from the request to the thaw, the way to "frozen 1" included,
 * also for what a cgroup above asks; it stands in between.
 *
 *	cg		a task in a long call
 *	 `- sub		empty
 */
V2_TEST(frozen_time)
{
	struct frz_busy *busy = frz_busy_new(4000);
	int64_t begin, asked, first, usec;
	char sub[FRZ_PATH_MAX];

	ASSERT_EQ(0, frz_create(sub, self->cg, "sub"));
	ASSERT_EQ(0, frozen_usec(self->cg)) {
		TH_LOG("cgroup.stat.local: %s",
		       frz_content(self->cg, "cgroup.stat.local"));
	}
	EXPECT_EQ(0, frozen_usec(sub));
	ASSERT_BUSY(self->cg, busy);
	begin = frz_now_ns();
	ASSERT_REQUEST(self->cg, 1);
	asked = frz_now_ns();
	frz_sleep_ms(100);
	EXPECT_FROZEN(0, self->cg);
	usec = (frz_now_ns() - asked) / 1000;
	first = frozen_usec(self->cg);
	EXPECT_LE(usec, first);
	EXPECT_GE((frz_now_ns() - begin) / 1000, first);
	EXPECT_LE(usec, frozen_usec(sub));
	ASSERT_EQ(0, frz2_wait_frozen(self->cg, 60000));
	frz_sleep_ms(100);
	usec = (frz_now_ns() - asked) / 1000;
	ASSERT_REQUEST(self->cg, 0);
	first = frozen_usec(self->cg);
	EXPECT_LE(usec, first);
	EXPECT_GE((frz_now_ns() - begin) / 1000, first);
	frz_sleep_ms(FRZ_WATCH);
	EXPECT_EQ(first, frozen_usec(self->cg));
	usec = frozen_usec(sub);
	EXPECT_LT(0, usec);
	/* It adds up. */
	ASSERT_REQUEST(sub, 1);
	frz_sleep_ms(50);
	ASSERT_REQUEST(sub, 0);
	EXPECT_LE(usec + 50000, frozen_usec(sub));
	EXPECT_EQ(first, frozen_usec(self->cg));
}

TEST_HARNESS_MAIN
