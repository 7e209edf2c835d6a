/*
 * proto.h - the payloads of messages.def.
 *
 * Runs in:    every process; both ends are built from one tree and run on one
 *             machine, so the structs travel as they lie in memory
 * Owns:       nothing
 * After fork: unchanged
 * Raises:     never
 */
#ifndef REFORKD_PROTO_H
#define REFORKD_PROTO_H

#include <stdint.h>

#include <reforkd/roles.h>

/* Bytes after a payload. A config of 500 listeners needs 40 KB. */
#define RFK_TAIL_MAX 65536u
/* Descriptors in one message: the kernel's SCM_MAX_FD is 253. */
#define RFK_FDS_MAX 128
/* Slots of one pool; the board reserves two rows for each. */
#define RFK_SLOTS_MAX 512
#define RFK_ROWS_MAX (2 * RFK_SLOTS_MAX)
/* Pools of one master. The board is sparse: what is unused costs nothing. */
#define RFK_POOLS_MAX 32
#define RFK_BOARD_ROWS (RFK_POOLS_MAX * RFK_ROWS_MAX)

/*
 * A token names one attempt (a fork, a promotion) for as long as the master
 * lives; it is never reused, so that a late answer cannot be taken for a new
 * one. 0 is no token.
 */
struct rfk_start {
	uint32_t protocol; /* RFK_PROTOCOL */
	uint32_t generation;
	int32_t master_pid;
};

struct rfk_settings {
	uint32_t protocol;
	uint32_t personality; /* enum rfk_personality */
};

struct rfk_configured {
	uint32_t listeners; /* number of descriptors */
	uint32_t unused;
};

struct rfk_fork {
	uint64_t token;
	uint32_t slot; /* worker.nr */
	uint32_t row;  /* of the board: its pool's first + 2 * slot, or + 1 */
	uint32_t generation;
	uint32_t service; /* 1: it is no worker, but the service beside them */
};

struct rfk_spawned {
	uint64_t token;
	uint32_t slot;
	uint32_t row;
	uint32_t generation;
	int32_t pid;         /* for people and logs; signals go by the pidfd */
	uint32_t traps_term; /* before_fork has trapped TERM, as for a master */
	uint32_t unused;
};

/* code and status are those of siginfo_t (CLD_EXITED, CLD_KILLED ...). */
struct rfk_died {
	uint64_t token;
	int32_t pid;
	int32_t code;
	int32_t status;
	int32_t unused;
};

struct rfk_ready {
	uint32_t generation;
	int32_t pid;
	uint64_t took_us; /* from its fork or exec, heap preparation included */
};

struct rfk_failed {
	int32_t exit_status; /* what the process leaves with */
	int32_t
	    is_config; /* 1: the text is "file:line: what", for the operator */
};

struct rfk_promote {
	uint64_t token;
	uint32_t generation; /* the candidate's */
	uint32_t force; /* by hand: 1; the reasons are the same, only named */
};

struct rfk_promoted {
	uint64_t token;
	uint32_t generation;
	int32_t pid;
};

/* STOP, QUIT, REOPEN, GC. */
struct rfk_stop {
	uint32_t run_at_exit; /* STOP only: the last mold of a full stop */
	uint32_t
	    limit_ms; /* QUIT only: how long draining may take, 0 = timeout */
};

/* A worker offers itself as the next mold, or (SPENT) for replacement. */
struct rfk_volunteer {
	uint32_t by_hand; /* 1: SIGUSR2 to this worker; 0: refork_after */
	uint32_t unused;
	uint64_t requests; /* served by this process */
};

/* Callbacks that unicorn and pitchfork run in their masters. */
enum rfk_hook_name {
	RFK_HOOK_AFTER_WORKER_EXIT = 1,
	RFK_HOOK_AFTER_MONITOR_READY = 2,
	RFK_HOOK_AFTER_HARD_TIMEOUT = 3,
	RFK_HOOK_LOG = 4, /* tail: a line of the master's for the file's logger;
			     slot = severity */
	RFK_HOOK_BEFORE_EXEC = 5, /* HOOKED's tail: the image, for USR2 */
	RFK_HOOK_END
};

/* In rfk_hook.slot: it is a mold, not a worker. */
#define RFK_HOOK_MOLD UINT32_MAX

struct rfk_hook {
	uint64_t token;
	uint32_t name; /* enum rfk_hook_name */
	uint32_t slot;
	uint32_t generation;
	int32_t pid;
	int32_t code;
	int32_t status;
	uint32_t limit_ms; /* then it is interrupted */
	uint32_t unused;
};

/* The configuration's instance variables: a sealed memfd, opaque to us. */
struct rfk_state {
	uint64_t bytes;
};
#define RFK_STATE_MAX (1u << 20)

/* A worker is leased; base/leaseline.h says what the descriptors are. */
struct rfk_lease {
	uint64_t id;
	uint32_t has;   /* bit i: enum leaseline_fd i comes along */
	uint32_t umask; /* UINT32_MAX = its own */
};

struct rfk_exiting {
	uint32_t why; /* enum rfk_exit_why */
	uint32_t unused;
};

enum rfk_exit_why {
	RFK_EXIT_QUIT = 1,        /* it was told to */
	RFK_EXIT_MASTER_GONE = 2, /* the channel reached EOF */
	RFK_EXIT_SIGNAL = 3,      /* QUIT, TERM or INT from outside */
	RFK_EXIT_APPLICATION = 4, /* the application called exit */
};

/* What the master may ask of a process; ANSWER says the same token. */
enum rfk_ask_what {
	RFK_ASK_STATISTICS = 1,
	RFK_ASK_GCLOG_ON = 2,
	RFK_ASK_GCLOG_OFF = 3,
	RFK_ASK_GCLOG_READ = 4,
	RFK_ASK_PAGES = 5, /* where the heap lies */
};

struct rfk_ask {
	uint64_t token; /* 0: nobody waits for the answer */
	uint32_t what;  /* enum rfk_ask_what */
	uint32_t more;  /* ANSWER only: another one follows */
	int32_t rc;     /* ANSWER only: 0, or -errno and the tail says why */
	uint32_t unused;
};

/* What the workers of a pool do. */
enum rfk_kind {
	RFK_KIND_RACK = 0,
	RFK_KIND_RUN = 1,
	RFK_KIND_LEASE = 2,
	RFK_KIND_NONE = 3, /* no work: only other pools have workers */
};

enum rfk_personality {
	RFK_NATIVE = 0,
	RFK_UNICORN = 1,
	RFK_PITCHFORK = 2,
};

enum rfk_type {
	RFK_MSG_NONE = 0,
#define RFK_MSG(name, senders, min_fds, max_fds, payload, tail) RFK_MSG_##name,
#include <reforkd/messages.def>
#undef RFK_MSG
	RFK_MSG_END
};

/* One decoded message. The union holds the payload of its type. */
struct rfk_msg {
	enum rfk_type type;
	union {
		struct rfk_start start;
		struct rfk_settings settings;
		struct rfk_configured configured;
		struct rfk_fork fork;
		struct rfk_spawned spawned;
		struct rfk_died died;
		struct rfk_ready ready;
		struct rfk_failed failed;
		struct rfk_promote promote;
		struct rfk_promoted promoted;
		struct rfk_stop stop;
		struct rfk_volunteer volunteer;
		struct rfk_hook hook;
		struct rfk_state state;
		struct rfk_lease lease;
		struct rfk_exiting exiting;
		struct rfk_ask ask;
		struct rfk_ask answer;
	} u;
	const char *tail; /* borrowed: valid until the next chan_get */
	uint32_t tail_len;
};

#endif
