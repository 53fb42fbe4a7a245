/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two holders, and a kill: v2 freezes and does not thaw, v1 freezes, is not killable, and thaws. A
 * killed task waits for v1 only. The task runs, or is parked.
 */
#define NT	1
#define NC	4
#define NH	2
#define NG	2
#define DO_KILL
#define MAY_BE_HELD(t)	\
	(linked[t] && mem[CLOSED(t)] && !(mem[CLOSED(t)] & V1) && flags[1] && !mem[KILL(t)])
#include "engine.h"

proctype Freezer(byte c, hold)
{
	byte m, st, how, at;

	freeze(c, hold, hold);
	if
	:: hold == 0 -> thaw(c, hold, hold)
	:: else
	fi
}

proctype Killer(byte c)
{
	byte m, st, how;

	kill(c, 0)
}

init {
	atomic {
		linked[0] = 1;
		member[OF(0, 1)] = 1;
		run Task(0);
		run Freezer(1, 0);
		run Freezer(2, 1);
		run Killer(3);
		run Buffers();
		run Judge()
	}
}
