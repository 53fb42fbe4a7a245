/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The container freezer, as a model for spin. The words are those of
 * kernel/cgroup/freezer/freezer.h, the names those of the functions there.
 *
 * A .pml file says how many tasks and CPUs there are (NT, NC) and what a task does (DO_*), includes
 * this file, and starts the processes. README.md has the properties, what is left out, and why.
 *
 * Memory
 * ------
 *
 * What two CPUs read and write without a common lock is in mem[]. A CPU has a store buffer with
 * one entry. store() puts a value there, process Buffers() writes it to memory some time later,
 * mb() waits for that, and LD() passes it by, but for the CPU's own entry. So a load can overtake
 * the store before it, and nothing else is reordered.
 *
 * A lock taken is no barrier here, though it is one on x86. A lock given back becomes free after
 * the stores before it, but the CPU does not wait for that. What is only used under a lock is an
 * ordinary variable.
 */

/* The state of a task: __state, and saved_state */
#define RUN	0
#define SLF	1	/* a sleep that can be frozen, TASK_INTERRUPTIBLE | TASK_FREEZABLE */
#define SLD	2	/* one that cannot, TASK_UNINTERRUPTIBLE */
#define STOP	3	/* a job control stop: no loop around schedule() */
#define FROZEN	4
#define WAKING	5	/* woken, and not on the run queue yet */
#define NEW	6

/* The callers of ttwu(): which sleeps they end */
#define BY_WAKER	0
#define BY_KILL		1
#define BY_THAW		2
#define BY_CONT		3

/* The rest of a task */
#define BUSY	0
#define ASLEEP	1
#define INPLACE	2
#define PARKED	3

/* gate */
#define FORK	1
#define EXIT	2

/* The flags of a group */
#define FREEZING	1
#define PASS		2

/* The bits of closed, one for a holder */
#define V1	1
#define V2	2

#ifndef NH
#define NH	1	/* holders */
#endif
#ifndef NG
#define NG	1	/* groups */
#endif
#ifndef OPS
#define OPS	1	/* what a task does before it stays in user mode */
#endif

/* The words of memory; address 0 is that of an empty buffer. */
#define CLOSED(t)	(1 + (t) * 5)
#define TIF(t)		(2 + (t) * 5)
#define STATE(t)	(3 + (t) * 5)
#define GATE(t)		(4 + (t) * 5)
#define KILL(t)		(5 + (t) * 5)
#define KILLABLE	(1 + NT * 5)
#define NA		(2 + NT * 5)

byte mem[NA];
byte ba[NC + 1];	/* address in the store buffer, or 0 */
byte bx[NC + 1];	/* value in it */
byte pend[NC + 1];	/* locks that become free behind it */

/* The locks */
#define CSS	1		/* css_set_lock */
#define PI(t)	(2 << (t))	/* pi_lock of a task */
byte lk;

#define LD(c, a)	(ba[c] == (a) -> bx[c] : mem[a])

inline store(c, a, x)
{
	atomic {
		if
		:: (c) == NC -> mem[a] = x	/* without a buffer */
		:: (c) != NC && ba[c] == 0 -> ba[c] = a; bx[c] = x
		fi
	}
}

#define mb(c)	(ba[c] == 0)

inline drain(c)
{
	mem[ba[c]] = bx[c];
	ba[c] = 0;
	bx[c] = 0;
	lk = lk & ~pend[c];
	pend[c] = 0
}

inline lock(l)
{
	atomic { !(lk & (l)) -> lk = lk | (l) }
}

inline unlock(c, l)
{
	atomic {
		if
		:: ba[c] == 0 -> lk = lk & ~(l)
		:: else -> pend[c] = pend[c] | (l)
		fi
	}
}

/* The barriers of freezer.h. Each is taken out by -DNO_... */
#ifdef NO_A
#define A(c)	skip
#else
#define A(c)	mb(c)
#endif
#ifdef NO_B
#define B(c)	skip
#else
#define B(c)	mb(c)
#endif
#ifdef NO_C
#define C(c)	skip
#else
#define C(c)	mb(c)
#endif
#ifdef NO_D
#define D(c)	skip
#else
#define D(c)	mb(c)
#endif
#ifdef NO_E
#define E(c)	skip
#else
#define E(c)	mb(c)
#endif
#ifdef NO_H
#define H(c)	skip
#else
#define H(c)	mb(c)
#endif
/* That of try_to_wake_up(), behind p->pi_lock; not ours */
#ifdef NO_TTWU
#define TTWU(c)	skip
#else
#define TTWU(c)	mb(c)
#endif

/* A task */
bool onrq[NT] = 1;
byte saved[NT];
bool user[NT];		/* in user mode */
bool dead[NT];
bool ipi[NT];		/* kicked */
bool want[NT];		/* it is about to sleep, its waker may come */
bool halted[NT];	/* it is about to stop, a SIGCONT may come */
bool cond[NT];		/* what it sleeps for */

/* Under css_set_lock */
bool linked[NT];	/* in the list of tasks of its group */
byte member[NT * NH];	/* its group */
byte rest[NT * NH];
byte acc[NT * NH];	/* the group whose account it is on, plus 1 */
byte flags[NG];
byte busy[NG];
bool frozen[NG];	/* the state is FROZEN */
#define OF(t, h)	((t) * NH + (h))

/* The properties: run.sh tells the name of the one that fails. None of these is ever set. */
hidden byte still;	/* no task of a FROZEN group is in user mode */
hidden byte no_fork;	/* no task is added to a FROZEN group by a fork of its own */
hidden byte same_list;	/* no task leaves a FROZEN group by its exit */
hidden byte completes;	/* a freeze completes */
hidden byte goes_on;	/* after the last thaw every task runs */
hidden byte wakes;	/* no wake-up is lost */
hidden byte dies;	/* no kill is lost */
hidden byte stays_stopped;	/* a stop ends with its SIGCONT only */
bool judged;
byte waiting;		/* writers of FROZEN who wait */

#define ALL_STILL_IN(t, g, h)	(!(user[t] && linked[t] && member[OF(t, h)] == (g)))

/* The holder of a group: with two holders group 0 is one of v1 and group 1 one of v2. */
#if NH > 1
#define HOLD(g)		(g)
#else
#define HOLD(g)		0
#endif
#define BIT(h)		(1 << (h))

inline update(g)
{
	d_step {
		if
		:: flags[g] == FREEZING && !busy[g] ->
			frozen[g] = 1;
			assert(ALL_STILL_IN(0, g, HOLD(g)) || still);
#if NT > 1
			assert(ALL_STILL_IN(1, g, HOLD(g)) || still)
#endif
		:: else -> frozen[g] = 0
		fi
	}
}

/* freezer_task_rests(), freezer_task_busy() */
inline task_rests(t, h, how)
{
	atomic {
		busy[acc[OF(t, h)] - 1]--;
		if
		:: !(flags[acc[OF(t, h)] - 1] & PASS) -> update((acc[OF(t, h)] - 1))
		:: else
		fi;
		acc[OF(t, h)] = 0;
		rest[OF(t, h)] = how
	}
}

inline task_busy(t, h, g)
{
	atomic {
		rest[OF(t, h)] = BUSY;
		acc[OF(t, h)] = (g) + 1;
		busy[g]++;
		if
		:: !(flags[g] & PASS) -> update(g)
		:: else
		fi
	}
}

/* try_to_wake_up() */
#define ENDS(by, s)	(by == BY_THAW -> s == FROZEN : \
			(by == BY_KILL -> s == SLF : \
			(by == BY_CONT -> s == STOP : s == SLF || s == SLD)))

/* ttwu_state_match(): the wake-up of a frozen task is kept in saved_state. */
#ifdef NO_SAVED
#define KEEP_WAKEUP(t, by)	skip
#else
#define KEEP_WAKEUP(t, by)	saved[t] = (ENDS(by, saved[t]) -> RUN : saved[t])
#endif

inline ttwu(c, t, by)
{
	lock(PI(t));
	TTWU(c);
	if
	:: atomic { ENDS(by, mem[STATE(t)]) && onrq[t] -> mem[STATE(t)] = RUN };	/* rq->lock */
		unlock(c, PI(t))
	:: atomic { ENDS(by, mem[STATE(t)]) && !onrq[t] -> mem[STATE(t)] = WAKING };
		unlock(c, PI(t));
		/* maybe on another CPU, and later */
		onrq[t] = 1;
		mem[STATE(t)] = RUN
	:: atomic { !ENDS(by, mem[STATE(t)]) ->
		KEEP_WAKEUP(t, by); unlock(c, PI(t)) }
	fi
}

/*
 * cgroup_frozen(): does a holder keep the task? m is what was read of closed, or 0. A killed task
 * of v2 leaves, one of v1 if it is killable.
 */
inline read_held(c, t)
{
	m = LD(c, CLOSED(t));
#if defined(DO_EXIT) || defined(DO_KILL)
	if
	:: LD(c, GATE(t)) & EXIT -> m = 0
	:: else
	fi;
#endif
#ifdef DO_KILL
	if
	:: m ->
		if
		:: LD(c, KILL(t)) ->
			if
			:: !(m & V1) || LD(c, KILLABLE) -> m = 0
			:: else
			fi
		:: else
		fi
	:: else
	fi
#endif
}

/* freezer_may_leave() */
#define LEAVES(c, t)	(LD(c, KILL(t)) && (!(LD(c, CLOSED(t)) & V1) || LD(c, KILLABLE)))

/* sleep.h: freezer_freeze_current() */
inline freeze_current(self)
{
	lock(PI(self));
	if
	:: LD(self, STATE(self)) == SLF && !LD(self, KILL(self)) ->
		saved[self] = SLF;
		store(self, STATE(self), FROZEN);
		H(self);
		read_held(self, self);
		if
		:: !m -> store(self, STATE(self), SLF); saved[self] = RUN
		:: else
		fi;
		m = 0
	:: else
	fi;
	unlock(self, PI(self))
}

/* An interrupt on the CPU of the task wakes the task, as %current: without pi_lock. */
inline interrupt(self)
{
	want[self] = 0;
	cond[self] = 1;
	mb(self);
	if
	:: mem[STATE(self)] == FROZEN ->
		if
		:: saved[self] == SLF || saved[self] == SLD -> saved[self] = RUN
		:: else
		fi
	:: mem[STATE(self)] == SLF || mem[STATE(self)] == SLD -> mem[STATE(self)] = RUN
	:: else
	fi
}

inline schedule(self)
{
	if
	:: LD(self, STATE(self)) != RUN && LD(self, CLOSED(self)) -> freeze_current(self)
	:: else
	fi;
#ifdef DO_IRQ
	if
	:: atomic { want[self] -> want[self] = 0 }; interrupt(self)
	:: skip
	fi;
#endif
	mb(self);	/* rq->lock, smp_mb__after_spinlock() */
	atomic {
		if
		:: mem[STATE(self)] == RUN
		:: mem[STATE(self)] == SLF && mem[KILL(self)] -> mem[STATE(self)] = RUN
		:: else -> onrq[self] = 0
		fi
	};
	onrq[self] && mem[STATE(self)] == RUN
}

/* "The same state?", under pi_lock */
#ifdef NO_SAME_SLEEP
#define SAME_SLEEP(c, t)	true
#else
#define SAME_SLEEP(c, t)	(LD(c, STATE(t)) == st)
#endif

/* sleep.h: freezer_sleeps_plainly(), behind the look at the state */
#ifdef DO_KILL
#define UNTOUCHED(c, t)	(!LD(c, GATE(t)) && !LD(c, KILL(t)))
#else
#define UNTOUCHED(c, t)	(!LD(c, GATE(t)))
#endif
#ifdef GATE_FIRST
#define PLAIN_BEFORE(c, t)	UNTOUCHED(c, t)
#define PLAIN(c, t)		(!onrq[t])
#else
#define PLAIN_BEFORE(c, t)	true
#define PLAIN(c, t)		(!onrq[t] && UNTOUCHED(c, t))
#endif

/*
 * sleep.h: freezer_freeze_plain_sleep(). A sleep that cannot be frozen stands for the one in
 * which a task waits for a signal.
 */
inline look_plainly(c, t)
{
	how = BUSY;
	if
	:: PLAIN_BEFORE(c, t) ->
		st = LD(c, STATE(t));
		if
		:: st == SLF || st == STOP ->
			lock(PI(t));
			if
			:: SAME_SLEEP(c, t) && PLAIN(c, t) ->
				how = INPLACE;
				saved[t] = st;
				store(c, STATE(t), FROZEN)
			:: else
			fi;
			unlock(c, PI(t))
		:: st == SLD && !onrq[t] ->
			if
			:: PLAIN(c, t) ->
				if
				:: LD(c, STATE(t)) == SLD -> how = ASLEEP
				:: else
				fi
			:: else
			fi
		:: else
		fi;
		st = 0
	:: else
	fi
}

/* look.c: freezer_look_closer(), and sleep.h: freezer_freeze_sleep() */
inline look_closer(c, t)
{
	if
	:: LD(c, GATE(t)) & (FORK | EXIT)
#ifdef DO_KILL
	:: !(LD(c, GATE(t)) & (FORK | EXIT)) && LEAVES(c, t) ->
		if
		:: LD(c, STATE(t)) != RUN && !onrq[t] -> how = ASLEEP
		:: skip
		fi
	:: !(LD(c, GATE(t)) & (FORK | EXIT)) && !LEAVES(c, t) ->
#else
	:: else ->
#endif
		st = LD(c, STATE(t));
		if
		:: st == SLF || st == STOP || st == FROZEN ->
			lock(PI(t));
			if
			:: SAME_SLEEP(c, t) && !onrq[t] ->
				if
				:: LD(c, GATE(t)) & EXIT -> how = ASLEEP
				:: else ->
					how = INPLACE;
					if
					:: st != FROZEN ->
						saved[t] = st;
						store(c, STATE(t), FROZEN)
					:: else
					fi
				fi
			:: else
			fi;
			unlock(c, PI(t))
		:: st == SLD && !onrq[t] -> how = ASLEEP
		:: else
		fi;
		st = 0;
#ifndef NO_REGATE
		/* It may have begun its exit since the first look at its gate. */
		if
		:: how == ASLEEP && LD(c, GATE(t)) & EXIT -> how = BUSY
		:: else
		fi
#endif
	fi
}

/* door.h: freezer_look() */
inline look(c, t)
{
	look_plainly(c, t);
	if
	:: how == BUSY -> look_closer(c, t)
	:: else
	fi
}

#ifdef NO_KICK
#define KICK(t)		skip
#else
#define KICK(t)		ipi[t] = onrq[t] && !dead[t]
#endif

/* door.h: freezer_close_door() */
inline close_door(c, t, h, g)
{
	m = LD(c, CLOSED(t));
	store(c, CLOSED(t), m | BIT(h));
	m = 0;
#ifdef NO_A0
	mem[TIF(t)] = 1;	/* an atomic operation that does not wait for the store before it */
#else
	store(c, TIF(t), 1);
#endif
	A(c);
	look(c, t);
	if
	:: how != BUSY -> rest[OF(t, h)] = how
	:: else -> task_busy(t, h, g); KICK(t)
	fi;
	how = 0
}

/* sleep.h: freezer_thaw_sleep(); how is whether the task is on a run queue */
#ifdef NO_ONRQ
#define ONRQ_NOW(t)	false
#else
#define ONRQ_NOW(t)	onrq[t]
#endif

inline thaw_sleep(c, t)
{
	lock(PI(t));
#ifndef ONRQ_LATE
	how = ONRQ_NOW(t);
#endif
	st = saved[t];
	if
	:: LD(c, STATE(t)) == FROZEN && st != RUN ->
		saved[t] = RUN;
#ifdef ONRQ_LATE
		how = ONRQ_NOW(t);
#endif
		if
		:: !how -> store(c, STATE(t), st); unlock(c, PI(t))
		:: else -> unlock(c, PI(t)); ttwu(c, t, BY_THAW)
		fi
	:: else -> unlock(c, PI(t)); ttwu(c, t, BY_THAW)
	fi;
	how = 0;
	st = 0
}

/* task.c: __cgroup_freezer_kill() */
inline let_go_killed(c, t)
{
	E(c);
	read_held(c, t);
	if
	:: !m && LD(c, KILL(t)) && LD(c, STATE(t)) == FROZEN -> thaw_sleep(c, t)
	:: else
	fi;
	m = 0
}

/* door.h: freezer_open_door() */
inline open_door(c, t, h)
{
	if
	:: acc[OF(t, h)] -> task_rests(t, h, BUSY)
	:: else -> rest[OF(t, h)] = BUSY
	fi;
	m = LD(c, CLOSED(t));
#ifdef NO_MASK
	m = 0;
#else
	m = m & ~BIT(h);
#endif
	store(c, CLOSED(t), m);
	B(c);
	if
	:: m == 0 ->
		if
		:: LD(c, STATE(t)) == FROZEN -> thaw_sleep(c, t)
		:: else
		fi
	:: else ->
		m = 0;
#if defined(DO_KILL) && !defined(NO_LAST_OBJECTION)
		let_go_killed(c, t)
#endif
	fi
}

/* task.c: freezer_conform() */
inline conform(c, t, h)
{
	if
	:: (flags[member[OF(t, h)]] & FREEZING) && !(LD(c, CLOSED(t)) & BIT(h)) ->
		close_door(c, t, h, member[OF(t, h)])
	:: !(flags[member[OF(t, h)]] & FREEZING) && LD(c, CLOSED(t)) & BIT(h) ->
		open_door(c, t, h)
	:: else
	fi
}

/* member.c: cgroup_freezer_moved() */
inline moved(c, t, h)
{
	atomic {
		if
		:: acc[OF(t, h)] && acc[OF(t, h)] - 1 != member[OF(t, h)] ->
#ifndef NO_ACCOUNT
			busy[member[OF(t, h)]]++;
			update(member[OF(t, h)]);
			busy[acc[OF(t, h)] - 1]--;
			if
			:: !(flags[acc[OF(t, h)] - 1] & PASS) ->
				update((acc[OF(t, h)] - 1))
			:: else
			fi;
			acc[OF(t, h)] = member[OF(t, h)] + 1
#endif
		:: else
		fi
	};
	conform(c, t, h)
#ifdef DO_KILL
	; let_go_killed(c, t)
#endif
}

/* task.c: cgroup_freezer_hold() reports that %current is parked. */
inline report(self, h)
{
	if
	:: rest[OF(self, h)] != PARKED ->
		lock(CSS);
		if
		:: acc[OF(self, h)] -> task_rests(self, h, PARKED)
		:: !acc[OF(self, h)] && LD(self, CLOSED(self)) & BIT(h) -> rest[OF(self, h)] = PARKED
		:: else
		fi;
		unlock(self, CSS)
	:: else
	fi
}

/* The door, __refrigerator() */
inline door(self)
{
	do
	:: true ->
		lock(PI(self));
		store(self, STATE(self), FROZEN);
		saved[self] = RUN;
		unlock(self, PI(self));
		C(self);
		read_held(self, self);
		if
		:: m ->
			report(self, 0);
#if NH > 1
			report(self, 1);
#endif
			C(self);
			read_held(self, self)
		:: else
		fi;
		if
		:: !m -> store(self, STATE(self), RUN); break
		:: else -> m = 0; schedule(self)
		fi
	od
}

/* wait_event(), with a waker that comes at any time from now on */
inline sleep(self, kind)
{
	want[self] = 1;
	do
	:: true ->
		store(self, STATE(self), kind);
		mb(self);	/* set_current_state() */
		if
		:: cond[self] || (kind == SLF && LD(self, KILL(self))) -> store(self, STATE(self), RUN); break
		:: else -> schedule(self)
		fi
	od;
	cond[self] = 0
}

/* A stop is set under pi_lock, and nothing loops around it. */
inline stop(self)
{
	lock(PI(self));
	store(self, STATE(self), STOP);
	halted[self] = 1;
	unlock(self, PI(self));
	schedule(self);
	assert(!halted[self] || stays_stopped)
}

/* fork(): c is the child, which is not there yet. */
inline do_fork(self, child)
{
	store(self, GATE(self), FORK);
	D(self);
	if
	:: LD(self, CLOSED(self)) -> store(self, GATE(self), 0)	/* start over, with the door ahead */
	:: else ->
#ifdef NO_FORK_GATE
		store(self, GATE(self), 0);
#endif
		sleep(self, SLD);	/* for a mutex */
		atomic { mem[STATE(child)] = NEW; onrq[child] = 0 };
		lock(CSS);
		atomic {
			assert(!frozen[member[OF(self, 0)]] || no_fork);
			member[OF(child, 0)] = member[OF(self, 0)];
			linked[child] = 1
		};
		unlock(self, CSS);
#ifndef NO_BIRTH
		if
		:: flags[member[OF(child, 0)]] & FREEZING ->
			lock(CSS);
			conform(self, child, 0);
			unlock(self, CSS)
		:: else
		fi;
#endif
		store(self, GATE(self), 0);
		atomic { ba[self] == 0 -> onrq[child] = 1; mem[STATE(child)] = RUN; forked = 1 }
	fi
}

/* do_exit(), from its last door on */
inline do_exit(self)
{
	if
	:: LD(self, CLOSED(self)) -> door(self); m = 0
	:: else
	fi;
#ifndef NO_BEGIN_EXIT
	store(self, GATE(self), EXIT);
#endif
#ifdef DO_EXIT
	if
	:: sleep(self, SLD)
	:: sleep(self, SLF)
	:: skip
	fi;
#endif
	lock(CSS);
#ifdef DO_EXIT
	assert(!frozen[member[OF(self, 0)]] || same_list);
#endif
	linked[self] = 0;
#ifndef NO_LEFT
	if
	:: acc[OF(self, 0)] -> task_rests(self, 0, BUSY)
	:: else
	fi;
#if NH > 1
	if
	:: acc[OF(self, 1)] -> task_rests(self, 1, BUSY)
	:: else
	fi;
#endif
#endif
	unlock(self, CSS);
	atomic { ba[self] == 0 -> dead[self] = 1; onrq[self] = 0; ipi[self] = 0 }
}

bool moving;	/* the section of css_set_lock in which a task is moved */
#define STILL_NOW(t, h)	(moving || !(linked[t] && frozen[member[OF(t, h)]]))

bool forked;

/* A task, which has a CPU of the same number */
proctype Task(byte self)
{
	byte m, st, how, ops = OPS;

end_unborn:
	onrq[self] && mem[STATE(self)] == RUN;
	do
	/* exit_to_user_mode_loop() */
	:: LD(self, TIF(self)) ->
		store(self, TIF(self), 0);
		mb(self);
		/* "while (cgroup_frozen(current))" is this loop */
		if
		:: LD(self, CLOSED(self)) -> door(self); m = 0
		:: else
		fi
#ifdef DO_KILL
	:: !LD(self, TIF(self)) && LD(self, KILL(self)) ->
		/* get_signal() has a door in front */
		if
		:: LD(self, CLOSED(self)) -> door(self); m = 0
		:: else
		fi;
		do_exit(self);
		break
#endif
	:: !LD(self, TIF(self)) && !LD(self, KILL(self)) ->
		atomic {
			assert(STILL_NOW(self, 0) || still);
#if NH > 1
			assert(STILL_NOW(self, 1) || still);
#endif
			user[self] = 1
		};
end_user:	if
		:: atomic { ipi[self] -> ipi[self] = 0; user[self] = 0 }
#ifdef DO_SLF
		:: atomic { ops -> ops--; user[self] = 0 }; sleep(self, SLF)
#endif
#ifdef DO_SLD
		:: atomic { ops -> ops--; user[self] = 0 }; sleep(self, SLD)
#endif
#ifdef DO_STOP
		:: atomic { ops -> ops--; user[self] = 0 }; stop(self)
#endif
#ifdef DO_FORK
		:: atomic { self == 0 && !forked -> user[self] = 0 }; do_fork(self, 1)
#endif
#ifdef DO_EXIT
		:: atomic { ops -> ops--; user[self] = 0 }; do_exit(self); break
#endif
		fi
	od
}

/* Whoever ends the sleeps, maybe not before the freeze is over */
bool lazy;

proctype Waker(byte c)
{
#ifndef NOT_LAZY
	if
	:: lazy = 1
	:: skip
	fi;
#endif
end:	do
	:: atomic { want[0] && !(lazy && waiting) -> want[0] = 0; cond[0] = 1 };
		ttwu(c, 0, BY_WAKER)
#ifdef DO_STOP
	:: atomic { halted[0] -> halted[0] = 0 }; ttwu(c, 0, BY_CONT)
#endif
#if NT > 1
	:: atomic { want[1] && !(lazy && waiting) -> want[1] = 0; cond[1] = 1 };
		ttwu(c, 1, BY_WAKER)
#endif
	od
}

/* pass.c: freezer_look_at_busy_tasks(), when a look has a chance */
#define WORTH_A_LOOK(t, h)	(acc[OF(t, h)] && mem[STATE(t)] != RUN && !mem[GATE(t)])

inline look_again(c, t, h)
{
	lock(CSS);
	if
	:: acc[OF(t, h)] ->
		look(c, t);
		if
		:: how != BUSY -> task_rests(t, h, how)
		:: else
		fi;
		how = 0
	:: else
	fi;
	unlock(c, CSS)
}

proctype Relook(byte c)
{
	byte m, st, how;

end:	do
#ifndef NO_RELOOK
	:: WORTH_A_LOOK(0, 0) -> look_again(c, 0, 0)
#if NT > 1
	:: WORTH_A_LOOK(1, 0) -> look_again(c, 1, 0)
#endif
#if NH > 1
	:: WORTH_A_LOOK(0, 1) -> look_again(c, 0, 1)
#endif
#endif
	:: false
	od
}

/* Requests and passes. A pass lets go of css_set_lock between any two tasks. */
#ifndef TURNS
#define TURNS	NT
#define PASSED(at)	at
#define PASS_MEETS(t, h, g, turn)	(linked[t] && member[OF(t, h)] == (g))
#endif

inline pass_close(c, t, h, g, turn)
{
	lock(CSS);
	if
	:: PASS_MEETS(t, h, g, turn) && !(LD(c, CLOSED(t)) & BIT(h)) -> close_door(c, t, h, g)
	:: else
	fi;
	unlock(c, CSS)
}

inline pass_open(c, t, h, g, turn)
{
	lock(CSS);
	if
	:: PASS_MEETS(t, h, g, turn) && LD(c, CLOSED(t)) & BIT(h) -> open_door(c, t, h)
	:: else
	fi;
	unlock(c, CSS)
}

inline freeze(c, h, g)
{
	lock(CSS);
	flags[g] = FREEZING | PASS;
	unlock(c, CSS);
	at = 0;
	do
	:: at < TURNS -> pass_close(c, PASSED(at), h, g, at); at++
	:: else -> break
	od;
	at = 0;
	lock(CSS);
	atomic {
		flags[g] = FREEZING;
		update(g)
	};
	unlock(c, CSS)
}

inline thaw(c, h, g)
{
	lock(CSS);
	atomic {
		flags[g] = 0;
		update(g)
	};
	unlock(c, CSS);
	at = 0;
	do
	:: at < TURNS -> pass_open(c, PASSED(at), h, g, at); at++
	:: else -> break
	od;
	at = 0
}

/* A writer of FROZEN, who may or may not wait, and then of THAWED */
inline freeze_and_thaw(c, h, g)
{
	freeze(c, h, g);
	if
	:: waiting++; frozen[g]; waiting--
	:: skip
	fi;
	thaw(c, h, g)
}

/* The sender of a SIGKILL, signal_wake_up_state() */
inline kill(c, t)
{
	store(c, KILL(t), 1);
	ttwu(c, t, BY_KILL);
	ipi[t] = onrq[t] && !dead[t];
	if
	:: LD(c, CLOSED(t)) -> let_go_killed(c, t)
	:: else
	fi
}

/* freezer_killable_write() */
inline set_killable(c, t)
{
	store(c, KILLABLE, 1);
	lock(CSS);
	if
	:: linked[t] && LD(c, CLOSED(t)) -> let_go_killed(c, t)
	:: else
	fi;
	unlock(c, CSS)
}

/* What must be true when nothing moves any more */
#define GOES_ON(t)	((user[t] && !mem[KILL(t)]) || dead[t] || !linked[t])
#ifndef MAY_BE_HELD
#define MAY_BE_HELD(t)	false
#endif
#define JUDGE(t)	\
	assert(GOES_ON(t) || !mem[KILL(t)] || MAY_BE_HELD(t) || dies);	\
	assert(GOES_ON(t) || !cond[t] || MAY_BE_HELD(t) || wakes);	\
	assert(GOES_ON(t) || MAY_BE_HELD(t) || goes_on);	\
	assert(!mem[CLOSED(t)] || dead[t] || MAY_BE_HELD(t) || goes_on)

proctype Judge()
{
	timeout;
	assert(!lk);
	assert(!waiting || completes);
	JUDGE(0);
#if NT > 1
	JUDGE(1);
#endif
	judged = 1
}

/* The store buffers */
proctype Buffers()
{
end:	do
	:: atomic { ba[0] -> drain(0) }
#if NC > 1
	:: atomic { ba[1] -> drain(1) }
#endif
#if NC > 2
	:: atomic { ba[2] -> drain(2) }
#endif
#if NC > 3
	:: atomic { ba[3] -> drain(3) }
#endif
#if NC > 4
	:: atomic { ba[4] -> drain(4) }
#endif
#if NC > 5
	:: atomic { ba[5] -> drain(5) }
#endif
	od
}
