/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task forks. The pass may find the child, or may be over before the child is linked.
 */
#define NT	2
#define NC	4
#define OPS	1
#define DO_FORK
#define NOT_LAZY
#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	freeze_and_thaw(c, 0, 0)
}

init {
	atomic {
		linked[0] = 1;
		onrq[1] = 0;
		mem[STATE(1)] = NEW;
		run Task(0);
		run Task(1);
		run Freezer(2);
		run Relook(3);
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
