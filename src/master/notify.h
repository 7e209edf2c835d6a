/*
 * notify.h - what systemd wants to know: sd_notify(3), by hand.
 *
 * Before the loop sleeps notify_step compares what the master does with what it
 * has said. The variables are the master's alone: they leave its environment,
 * so that no mold and no application speaks in its name, and come back for an
 * image that takes its place.
 *
 * Runs in:    master
 * Owns:       two timers
 * After fork: notify_put_back, in a child that execs a master
 * Raises:     never
 */
#ifndef MASTER_NOTIFY_H
#define MASTER_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <ev.h>

struct master;

enum notify_said {
	NOTIFY_NOTHING,
	NOTIFY_READY,
	NOTIFY_RELOADING,
	NOTIFY_STOPPING,
};

struct notify {
	char socket[108];     /* "/path" or "@abstract"; "" = nobody listens */
	uint64_t watchdog_us; /* 0 = none */
	enum notify_said said;
	bool reload_asked; /* since RELOADING was said last */
	bool failed;       /* the socket could not be written: said once */
	char status[256];
	ev_timer watchdog;
	ev_timer extend; /* while it boots, reloads or stops */
};

/* Takes the variables out of the environment; speaks = not for -t. */
void notify_init(struct master *, bool speaks);
void notify_step(struct master *);
void notify_reload(struct master *); /* HUP, or reforkctl reload */
/* Whom systemd shall take for the service: another master, or this one again.
 */
void notify_main_pid(struct master *, pid_t);
/* For an exec by this process, which will be a master. */
void notify_put_back(const struct master *);
void notify_take_out(void); /* there was no exec */

#endif
