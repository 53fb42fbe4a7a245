/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The worlds that the test programs run in; see world.c.
 */
#ifndef WORLD_H
#define WORLD_H

#include <stdbool.h>
#include <sys/types.h>

#define WORLD_CONTAINER	0x01
#define WORLD_USERNS	0x02
#define WORLD_MOVER	0x04
#define WORLD_LIMITS	0x08
#define WORLD_KILLABLE	0x10
#define WORLD_V2	0x20
#define WORLD_BOTH	0x40

/* The exit status when the world could not be made, or does not end */
#define WORLD_FAILED	125

/* world.c */

/* fork() a child that dies with the caller */
pid_t world_fork(void);
/* A wait status as a shell tells it */
int world_status(int status);
void world_exec(char **args) __attribute__((noreturn));
/* Print @what and why, unless @err is 0; returns @err. */
int world_error(const char *what, int err);

/* world_container.c: run the program in a container, its exit status */
int world_contain(unsigned int flags, char **args);

/* world_groups.c: cgroups of v2 and of a hierarchy with a name, and the mover */
int world_groups_begin(unsigned int flags);
int world_groups_end(unsigned int flags);

#endif /* WORLD_H */
