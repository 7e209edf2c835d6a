/*
 * settings.h - a pool's settings, as both sides hold them.
 *
 * The mold evaluates the file and sends them as "name=value" NUL ..., one for
 * each row of settings.def that the file or the command line set, "listen="
 * once for each listening socket and "refork_after=" once with a comma list. It
 * is ADDRESS, then TAB key=value for each option. "place=NAME TAB FILE:LINE"
 * says where a row was set, so that whoever complains of it can say so.
 *
 * Runs in:    master, mold (workers inherit the mold's)
 * Owns:       its strings, freed by settings_fini
 * After fork: the child's copy stays valid
 * Raises:     never
 */
#ifndef REFORKD_SETTINGS_H
#define REFORKD_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <reforkd/proto.h>

#define RFK_LISTENERS_MAX RFK_FDS_MAX
#define RFK_REFORK_AFTER_MAX 64

/* -1 = leave to the system. Flags are 0, 1 or -1. */
struct rfk_listen {
	char *address; /* "127.0.0.1:80", "[::1]:80", "/path/sock" */
	char *place;   /* "FILE:LINE", "command line" ...; "" = a default */
	int backlog;   /* 1024 */
	int tcp_nodelay;
	int tcp_nopush;
	int tcp_defer_accept; /* seconds, 1 by default as in unicorn */
	int ipv6only;
	int reuseport;
	int rcvbuf;
	int sndbuf;
	int umask;    /* UNIX sockets; 0 */
	int tries;    /* 5; negative = for ever */
	int delay_ms; /* 500 */
	/* One of `queues` sockets of one address; 0 and 1: there is one. */
	int queue, queues;
	int queues_per_worker; /* worker/queues.h */
};

/* The rows by number. */
enum rfk_setting {
#define SETTING(name, kind, fallback, min, max) RFK_SET_##name,
#include <reforkd/settings.def>
#undef SETTING
	RFK_SETTINGS
};

struct rfk_settings_table {
#define SETTING_COUNT int64_t
#define SETTING_MS int64_t
#define SETTING_SIZE int64_t
#define SETTING_FLAG int64_t
#define SETTING_TEXT char *
#define SETTING(name, kind, fallback, min, max) SETTING_##kind name;
#include <reforkd/settings.def>
#undef SETTING
#undef SETTING_COUNT
#undef SETTING_MS
#undef SETTING_SIZE
#undef SETTING_FLAG
#undef SETTING_TEXT
	enum rfk_personality personality;
	char *place[RFK_SETTINGS]; /* where each was set; NULL = nowhere */
	struct rfk_listen *listen;
	size_t listens;
	/* Requests after which generation n reforks; the last repeats. */
	int64_t refork_after[RFK_REFORK_AFTER_MAX]; /* 0 = false: never again */
	size_t refork_afters; /* 0 = no automatic refork */
};

/* All rows at their defaults. */
int settings_init(struct rfk_settings_table *);
void settings_fini(struct rfk_settings_table *);

/*
 * Reads an encoded block into an initialised table: 0, -EPROTO with the name of
 * what was wrong copied into why, or -ENOMEM.
 */
int settings_decode(struct rfk_settings_table *, const char *block, size_t len,
    char *why, size_t why_size);

const char *settings_name(enum rfk_setting);
/* "FILE:LINE", "command line" ...; "" = nowhere: it has its default. */
const char *settings_place(const struct rfk_settings_table *, enum rfk_setting);

/* ipc/derived.c */
/* A limit for generation g: requests, or 0 = never. */
int64_t settings_refork_limit(
    const struct rfk_settings_table *, uint32_t generation);

/* Derived values, so that nobody derives them twice. */
int64_t settings_soft_ms(const struct rfk_settings_table *);
int64_t settings_drain_ms(const struct rfk_settings_table *);
int64_t settings_with_jitter(int64_t limit, int64_t percent, uint64_t token);
int64_t settings_hook_ms(const struct rfk_settings_table *);
int64_t settings_unavailable(
    const struct rfk_settings_table *, int64_t workers);

#endif
