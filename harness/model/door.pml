/* SPDX-License-Identifier: GPL-2.0 */
/*
 * One task and its door: it runs, sleeps so that it can be frozen in place, and so that it cannot.
 * A group is frozen and thawed twice.
 */
#define NT	1
#define NC	3
#define OPS	2
#define DO_SLF
#define DO_SLD
#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	freeze_and_thaw(c, 0, 0);
	freeze_and_thaw(c, 0, 0)
}

init {
	atomic {
		linked[0] = 1;
		run Task(0);
		run Freezer(1);
		run Relook(2);
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
