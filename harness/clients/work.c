// SPDX-License-Identifier: GPL-2.0
/*
 * work.c - the jobs that the rows of make clients freeze, and the looks at them.
 *
 *	work LOAD FILE		a job: sleep, fork, vfork, exec, mix (all of these), levels (a mix
 *				in nested cgroups below its own), tree (for CRIU). It counts what it
 *				does in FILE
 *	work once CGROUP FILE N	N times: write 1 to cgroup.freeze, wait for one event of
 *				cgroup.events, read it once; then as "still"; thaw, then as "moves"
 *	work by CGROUP FILE COMMAND...	run a client that freezes CGROUP, wait for the event of
 *				cgroup.events unless there was one by then, and as "still"
 *	work still CGROUP FILE	"frozen 1" there and in each cgroup below, by one read, and FILE
 *				stands still from that read on
 *	work moves FILE		FILE goes on within ten seconds
 *
 * The looks print what they expected and saw, and fail if that differs.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SLOTS		64
#define STILL_MS	100
#define EVENT_MS	10000
#define WRONG		(SLOTS - 1)	/* the slot of what went wrong in the job itself */

struct board {
	volatile uint64_t slot[SLOTS];
};

static const char *board_path;

static void fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(1);
}

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e3 + t.tv_nsec / 1e6;
}

static void pause_ms(double ms)
{
	struct timespec t = { (time_t)(ms / 1e3), (long)(ms * 1e6) % 1000000000 };

	while (nanosleep(&t, &t) && errno == EINTR)
		;
}

static struct board *map_board(const char *path)
{
	struct board *board;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);

	if (fd < 0 || ftruncate(fd, sizeof(*board)))
		fail("%s: %s", path, strerror(errno));
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (board == MAP_FAILED)
		fail("%s: %s", path, strerror(errno));
	close(fd);
	board_path = path;
	return board;
}

/* The jobs */

static void run_sleep(struct board *board, int slot)
{
	for (;;) {
		board->slot[slot]++;
		pause_ms(0.2);
	}
}

static void run_fork(struct board *board, int slot)
{
	for (;;) {
		pid_t pid = fork();

		if (!pid) {
			board->slot[slot]++;
			_exit(0);
		}
		if (pid > 0)
			waitpid(pid, NULL, 0);
	}
}

static void exec_self(const char *what, int slot)
{
	char number[16];

	snprintf(number, sizeof(number), "%d", slot);
	execl("/proc/self/exe", "work", what, board_path, number, NULL);
	_exit(1);
}

static void run_vfork(struct board *board, int slot)
{
	for (;;) {
		pid_t pid = vfork();

		if (!pid)
			exec_self("tick", slot);
		if (pid > 0)
			waitpid(pid, NULL, 0);
		board->slot[slot + 1]++;
	}
}

static void *idle(void *unused)
{
	pause();
	return unused;
}

/* The exec of a thread kills the other threads, and one of them is the leader. */
static void *exec_in_thread(void *slot)
{
	exec_self("exec-on", *(int *)slot);
	return NULL;
}

static void run_exec(struct board *board, int slot)
{
	pthread_t thread;
	int i;

	board->slot[slot]++;
	for (i = 0; i < 3; i++)
		pthread_create(&thread, NULL, idle, NULL);
	pthread_create(&thread, NULL, exec_in_thread, &slot);
	pause();
	_exit(1);
}

static void start(void (*job)(struct board *, int), struct board *board, int slot)
{
	if (!fork()) {
		job(board, slot);
		_exit(1);
	}
}

static void run_mix(struct board *board, int slot)
{
	start(run_sleep, board, slot);
	start(run_fork, board, slot + 1);
	start(run_vfork, board, slot + 2);
	start(run_exec, board, slot + 4);
	for (;;)
		pause();
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		fail("%s: write of %s: %s", path, text, strerror(errno));
	close(fd);
}

/* A mix at the top, and in each of three levels below it */
static void run_levels(struct board *board, int slot)
{
	char dir[2048], line[1024];
	FILE *own = fopen("/proc/self/cgroup", "r");
	int level;

	if (!own || !fgets(line, sizeof(line), own) || strncmp(line, "0::", 3))
		fail("/proc/self/cgroup: expected 0::/..., seen %s", line);
	line[strcspn(line, "\n")] = 0;
	snprintf(dir, sizeof(dir), "/sys/fs/cgroup%s", line + 3);
	start(run_mix, board, slot);
	for (level = 1; level < 4; level++) {
		strcat(dir, "/level");
		if (mkdir(dir, 0755))
			fail("mkdir %s: %s", dir, strerror(errno));
		if (!fork()) {
			put(dir, "cgroup.procs", "0");
			run_mix(board, slot + 8 * level);
		}
	}
	for (;;)
		pause();
}

static uint64_t pass_on(int in, int out, uint64_t value)
{
	if (out >= 0 && write(out, &value, sizeof(value)) != sizeof(value))
		_exit(1);
	if (in >= 0 && read(in, &value, sizeof(value)) != sizeof(value))
		_exit(1);
	return value;
}

static void forward(int in, int out)
{
	for (;;)
		pass_on(-1, out, pass_on(in, -1, 0) + 1);
}

/*
 * A ring of three: a number goes by a pipe to one child, by TCP to the next and by another pipe
 * back, and each child adds one. What comes back, and what was counted so far, has to be right.
 */
static void run_tree(struct board *board, int slot)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	socklen_t length = sizeof(to);
	int there[2], back[2], listener, sender, receiver;
	uint64_t n;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	sender = socket(AF_INET, SOCK_STREAM, 0);
	if (pipe(there) || pipe(back) || bind(listener, (void *)&to, sizeof(to)) ||
	    listen(listener, 1) || getsockname(listener, (void *)&to, &length) ||
	    connect(sender, (void *)&to, sizeof(to)))
		fail("tree: %s", strerror(errno));
	receiver = accept(listener, NULL, NULL);
	close(listener);
	if (!fork())
		forward(there[0], sender);
	if (!fork())
		forward(receiver, back[1]);
	for (n = board->slot[slot]; ; pause_ms(1)) {
		if (pass_on(back[0], there[1], n) != n + 2 || board->slot[slot] != n)
			board->slot[WRONG]++;
		board->slot[slot] = ++n;
	}
}

/* The looks */

static int is_frozen(const char *dir)
{
	char path[4096], text[256] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		fail("%s: %s", path, strerror(errno));
	close(fd);
	return strstr(text, "frozen 1") != NULL;
}

static int not_frozen, below;

static int look_below(const char *path, const struct stat *unused, int type, struct FTW *ftw)
{
	(void)unused;
	if (type == FTW_D && ftw->level) {
		below++;
		not_frozen += !is_frozen(path);
	}
	return 0;
}

static int differs(const struct board *a, const struct board *b)
{
	int i, n = 0;

	for (i = 0; i < SLOTS; i++)
		n += a->slot[i] != b->slot[i];
	return n;
}

/* look: after an event, or a client, that says frozen. What is wrong goes into @text. */
static int look(const char *dir, struct board *board, char *text, size_t size)
{
	int frozen = is_frozen(dir);
	struct board then = *board;
	int ran;

	not_frozen = below = 0;
	nftw(dir, look_below, 16, FTW_PHYS);
	pause_ms(STILL_MS);
	ran = differs(&then, board);
	snprintf(text, size,
		 "expected frozen 1, 0 of %d below without it, 0 that run; seen frozen %d, %d, %d",
		 below, frozen, not_frozen, ran);
	return !frozen || not_frozen || ran;
}

static int goes_on(struct board *board)
{
	struct board then = *board;
	double end = now_ms() + EVENT_MS;

	while (now_ms() < end) {
		if (differs(&then, board))
			return 1;
		pause_ms(1);
	}
	return 0;
}

/* open_events: an event from now on ends the poll of what this returns. */
static int open_events(const char *dir)
{
	static char text[256];
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cgroup.events", dir);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text)) < 0)
		fail("%s: %s", path, strerror(errno));
	return fd;
}

static int wait_event(int fd)
{
	struct pollfd events = { .fd = fd, .events = POLLPRI };
	int ret = poll(&events, 1, EVENT_MS);

	close(fd);
	return ret > 0;
}

static int by(const char *dir, struct board *board, char **command)
{
	int fd = open_events(dir), status;
	char text[256];
	pid_t pid = fork();

	if (!pid) {
		execvp(command[0], command);
		fail("%s: %s", command[0], strerror(errno));
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		fail("fork: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		fail("expected status 0 of it, seen %#x", status);
	if (!wait_event(fd))
		fail("expected an event, seen none for %d ms", EVENT_MS);
	if (look(dir, board, text, sizeof(text)))
		fail("%s", text);
	return 0;
}

static int once(const char *dir, struct board *board, int times)
{
	int i, no_event = 0, early = 0, stuck = 0;
	double slowest = 0;
	char text[256], first[256] = "";

	/* Three that take the whole of EVENT_MS are enough to know. */
	for (i = 0; i < times && no_event + stuck < 3; i++) {
		double began = now_ms(), took;
		int fd = open_events(dir);

		put(dir, "cgroup.freeze", "1");
		if (!wait_event(fd))
			no_event++;
		took = now_ms() - began;
		slowest = took > slowest ? took : slowest;
		if (look(dir, board, text, sizeof(text)) && !early++)
			strcpy(first, text);
		put(dir, "cgroup.freeze", "0");
		if (!goes_on(board))
			stuck++;
		pause_ms(rand() % 20);
	}
	if (no_event || early || stuck)
		printf("expected each of %d rounds to be frozen at the first event and to go on, "
		       "seen %d without event, %d not frozen at it, %d stuck; the first: %s",
		       i, no_event, early, stuck, first);
	else
		printf("%d rounds, slowest event %.0f ms", i, slowest);
	printf("\n");
	return no_event || early || stuck;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct board *, int);
	} jobs[] = {
		{ "sleep", run_sleep }, { "fork", run_fork }, { "vfork", run_vfork },
		{ "exec", run_exec }, { "exec-on", run_exec }, { "mix", run_mix },
		{ "levels", run_levels }, { "tree", run_tree },
	};
	char text[256];
	size_t i;

	for (i = 0; argc >= 3 && i < sizeof(jobs) / sizeof(*jobs); i++) {
		if (!strcmp(argv[1], jobs[i].name)) {
			jobs[i].run(map_board(argv[2]), argc > 3 ? atoi(argv[3]) : 0);
			return 1;
		}
	}
	if (argc == 4 && !strcmp(argv[1], "tick")) {
		map_board(argv[2])->slot[atoi(argv[3])]++;
		return 0;
	}
	if (argc == 5 && !strcmp(argv[1], "once"))
		return once(argv[2], map_board(argv[3]), atoi(argv[4]));
	if (argc > 4 && !strcmp(argv[1], "by"))
		return by(argv[2], map_board(argv[3]), argv + 4);
	if (argc == 4 && !strcmp(argv[1], "still")) {
		if (look(argv[2], map_board(argv[3]), text, sizeof(text)))
			fail("%s", text);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "moves")) {
		struct board *board = map_board(argv[2]);

		if (!goes_on(board))
			fail("expected %s to go on, seen: it stands for %d ms", argv[2], EVENT_MS);
		if (board->slot[WRONG])
			fail("expected right results in %s, seen %lu wrong", argv[2],
			     (unsigned long)board->slot[WRONG]);
		return 0;
	}
	fprintf(stderr,
		"usage: work LOAD FILE | once CGROUP FILE N | by CGROUP FILE COMMAND... |\n"
		"            still CGROUP FILE | moves FILE\n");
	return 2;
}
