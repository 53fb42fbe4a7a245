/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of freezer_snapshot share: to run it in a directory of their
 * own, and what it returned and said.
 */
#ifndef SNAPSHOT_TOOL_H
#define SNAPSHOT_TOOL_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * What freezer_snapshot returns, as its --help has it. Not from its own header:
 * who calls it relies on the numbers.
 */
enum {
	TOOL_DONE	= 0,
	TOOL_ERROR	= 1,
	TOOL_USAGE	= 2,
	TOOL_NOT_FROZEN	= 3,
	TOOL_BUSY	= 4,
	TOOL_TORN	= 5,
	TOOL_STALLED	= 6,
};

/* A directory of our own for what is written: "", or why there is none. */
extern char tool_dir[64];
const char *make_dir(void);
void remove_tree(const char *path);

/* A name in there. */
const char *in_dir(const char *name);
bool exists(const char *name);

/* Become freezer_snapshot, which is beside of the test program. */
void tool_exec(const char *const *args);

/* Start it: its pid or -errno. */
pid_t tool_start(const char *const *args);

/* The same, and for it alone @instead is in the place of @file. */
pid_t tool_start_with(const char *file, const char *instead, const char *const *args);

/* Its exit status, 128 and more if it was killed, or -errno. */
int tool_result(pid_t pid);

#define tool(...) \
	tool_result(tool_start((const char *const []){ __VA_ARGS__, NULL }))

#define tool_with(file, instead, ...) \
	tool_result(tool_start_with(file, instead, \
				    (const char *const []){ __VA_ARGS__, NULL }))

/* What it had to say. */
const char *tool_said(void);

#endif /* SNAPSHOT_TOOL_H */
