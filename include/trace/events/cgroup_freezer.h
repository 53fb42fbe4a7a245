/* SPDX-License-Identifier: GPL-2.0 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cgroup_freezer

#if !defined(_TRACE_CGROUP_FREEZER_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_CGROUP_FREEZER_H

#include <linux/cgroup_freezer.h>
#include <linux/sched.h>
#include <linux/tracepoint.h>

TRACE_DEFINE_ENUM(CGROUP_FREEZER_BUSY);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_ASLEEP);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_IN_PLACE);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_PARKED);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_WRITER);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_EXITED);

#define show_freezer_rest(how)						\
	__print_symbolic(how,						\
			 { CGROUP_FREEZER_BUSY,		"busy" },	\
			 { CGROUP_FREEZER_ASLEEP,	"asleep" },	\
			 { CGROUP_FREEZER_IN_PLACE,	"in_place" },	\
			 { CGROUP_FREEZER_PARKED,	"parked" },	\
			 { CGROUP_FREEZER_WRITER,	"writer" },	\
			 { CGROUP_FREEZER_EXITED,	"exited" })

TRACE_DEFINE_ENUM(CGROUP_FREEZER_THAWED);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_FREEZING);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_FROZEN);
TRACE_DEFINE_ENUM(CGROUP_FREEZER_CHECKPOINTING);

#define show_freezer_state(state)					\
	__print_symbolic(state,						\
			 { CGROUP_FREEZER_THAWED,	"THAWED" },	\
			 { CGROUP_FREEZER_FREEZING,	"FREEZING" },	\
			 { CGROUP_FREEZER_FROZEN,	"FROZEN" },	\
			 { CGROUP_FREEZER_CHECKPOINTING, "CHECKPOINTING" })

/*
 * A cgroup is named by its id, which is the inode number of its directory and
 * what bpf_get_current_cgroup_id() and friends return.
 */

/* Somebody has written to freezer.state or cgroup.freeze; common_pid is the writer. */
TRACE_EVENT(cgroup_freezer_request,

	TP_PROTO(u64 cgroup, bool freeze),

	TP_ARGS(cgroup, freeze),

	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(bool, freeze)
	),

	TP_fast_assign(
		__entry->cgroup = cgroup;
		__entry->freeze = freeze;
	),

	TP_printk("cgroup=%llu request=%s", __entry->cgroup,
		  __entry->freeze ? "FROZEN" : "THAWED")
);

/*
 * A task has come to rest, or was found busy, that many nanoseconds after its
 * cgroup began to freeze.
 */
TRACE_EVENT(cgroup_freezer_rest,

	TP_PROTO(struct task_struct *task, u64 cgroup, int how, u64 nsec),

	TP_ARGS(task, cgroup, how, nsec),

	TP_STRUCT__entry(
		__array(char, comm, TASK_COMM_LEN)
		__field(pid_t, pid)
		__field(int, how)
		__field(u64, cgroup)
		__field(u64, nsec)
	),

	TP_fast_assign(
		memcpy(__entry->comm, task->comm, TASK_COMM_LEN);
		__entry->pid = task->pid;
		__entry->how = how;
		__entry->cgroup = cgroup;
		__entry->nsec = nsec;
	),

	TP_printk("comm=%s pid=%d cgroup=%llu how=%s nsec=%llu",
		  __entry->comm, __entry->pid, __entry->cgroup,
		  show_freezer_rest(__entry->how), __entry->nsec)
);

/* The state of a cgroup has changed. */
TRACE_EVENT(cgroup_freezer_state,

	TP_PROTO(u64 cgroup, int from, int to, u64 nsec),

	TP_ARGS(cgroup, from, to, nsec),

	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(int, from)
		__field(int, to)
		__field(u64, nsec)
	),

	TP_fast_assign(
		__entry->cgroup = cgroup;
		__entry->from = from;
		__entry->to = to;
		__entry->nsec = nsec;
	),

	TP_printk("cgroup=%llu from=%s to=%s nsec=%llu", __entry->cgroup,
		  show_freezer_state(__entry->from),
		  show_freezer_state(__entry->to), __entry->nsec)
);

/* The doors of a cgroup's tasks are open again; so many were parked or frozen. */
TRACE_EVENT(cgroup_freezer_thaw,

	TP_PROTO(u64 cgroup, unsigned int woken),

	TP_ARGS(cgroup, woken),

	TP_STRUCT__entry(
		__field(u64, cgroup)
		__field(unsigned int, woken)
	),

	TP_fast_assign(
		__entry->cgroup = cgroup;
		__entry->woken = woken;
	),

	TP_printk("cgroup=%llu woken=%u", __entry->cgroup, __entry->woken)
);

#endif /* _TRACE_CGROUP_FREEZER_H */

/* This part must be outside of the protection above. */
#include <trace/define_trace.h>
