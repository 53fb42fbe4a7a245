/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A task is moved, within its group by a move in another hierarchy, and to another group, while a
 * pass is under way. Group 0 has css_sets 0 and 1, group 1 has css_set 2 and may be FROZEN from the
 * beginning. The pass lets go of css_set_lock between two css_sets.
 */
#define NT	1
#define NC	4
#define NG	2
#define OPS	1
#define MOVES	2
#define DO_SLF
#define DO_SLD
#define TURNS	2
#define PASSED(at)	0
#define PASS_MEETS(t, h, g, turn)	(css_set == 2 * (g) + turn)

byte css_set;

#include "engine.h"

proctype Freezer(byte c)
{
	byte m, st, how, at;

	freeze_and_thaw(c, 0, 0);
	if
	:: flags[1] -> thaw(c, 0, 1)
	:: else
	fi
}

proctype Mover(byte c)
{
	byte m, st, how, from, moves = MOVES;

	do
	:: moves ->
		moves--;
		lock(CSS);
		atomic {
			moving = 1;
			from = css_set;
			if
			:: css_set = 0
			:: css_set = 1
			:: css_set = 2
			fi;
			member[0] = (css_set == 2 -> 1 : 0)
		};
#ifdef NO_MOVED_ELSEWHERE
		if
		:: (from == 2) != (css_set == 2) -> moved(c, 0, 0)
		:: else
		fi;
#else
#ifndef NO_MOVED
		moved(c, 0, 0);
#endif
#endif
		atomic {
			assert(ALL_STILL_IN(0, 0, 0) || !frozen[0] || still);
			assert(ALL_STILL_IN(0, 1, 0) || !frozen[1] || still);
			moving = 0
		};
		unlock(c, CSS)
	:: else -> break
	od
}

init {
	atomic {
		linked[0] = 1;
		css_set = 1;
		if
		:: flags[1] = FREEZING; frozen[1] = 1
		:: skip
		fi;
		run Task(0);
		run Freezer(1);
		run Relook(2);
		run Mover(3);
		run Waker(NC);
		run Buffers();
		run Judge()
	}
}
