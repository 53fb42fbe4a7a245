/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task is killed, and its group is made killable, while the group is frozen.
 */
#define NT	1
#define NC	5
#define OPS	1
#define DO_SLF
#define DO_KILL
#define MAY_BE_HELD(t)	\
	(linked[t] && flags[0] && mem[CLOSED(t)] && !(mem[KILL(t)] && mem[KILLABLE]))
#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	freeze(c, 0, 0)
}

proctype Killer(byte c)
{
	byte m, st, how;

	kill(c, 0)
}

proctype Killable(byte c)
{
	byte m, st, how;

	set_killable(c, 0)
}

init {
	atomic {
		linked[0] = 1;
		run Task(0);
		run Freezer(1);
		run Relook(2);
		run Killer(3);
		run Killable(4);
		run Buffers();
		run Judge()
	}
}
