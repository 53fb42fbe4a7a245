/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task is killed at any time, while its group is frozen, and maybe thawed. The group is killable
 * or not.
 */
#define NT	1
#define NC	4
#define OPS	1
#define DO_SLF
#define NOT_LAZY
#define DO_KILL
#define MAY_BE_HELD(t)	\
	(linked[t] && flags[0] && mem[CLOSED(t)] && !(mem[KILL(t)] && mem[KILLABLE]))
#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	if
	:: freeze(c, 0, 0)
	:: freeze_and_thaw(c, 0, 0)
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
		run Task(0);
		run Freezer(1);
		run Relook(2);
		run Killer(3);
		if
		:: mem[KILLABLE] = 1
		:: skip
		fi;
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
