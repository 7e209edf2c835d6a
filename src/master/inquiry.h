/*
 * inquiry.h - what a client wants to know of the workers, and what only they
 * can say: statistics of their heaps, the log of their collections.
 *
 * Each worker is asked over its channel and answers between two requests. The
 * master waits for nobody: answers are passed on as they come, and whoever has
 * not answered in time is named.
 *
 * Runs in:    master
 * Owns:       the inquiries under way; which slots log their collections
 * After fork: the master's only forks exec at once
 * Raises:     never
 */
#ifndef MASTER_INQUIRY_H
#define MASTER_INQUIRY_H

#include <stdbool.h>
#include <stdint.h>

#include <reforkd/proto.h>

struct master;
struct control_client;
struct child;
struct moldlink;
struct pool;

/* Asks the worker of a slot, or with UINT32_MAX all that serve and, where it
 * makes sense, the mold. It ends the client's verb, at once or later. */
void inquiry_begin(
    struct control_client *, struct pool *, enum rfk_ask_what, uint32_t slot);
void inquiry_pool_gone(struct pool *);
void inquiry_forget(struct control_client *); /* it has gone */

/* ANSWER came. */
void inquiry_child_answers(struct child *, const struct rfk_msg *);
void inquiry_mold_answers(struct moldlink *, const struct rfk_msg *);
/* A new worker of a slot whose collections are logged logs its own. */
void inquiry_child_ready(struct child *);
void inquiry_close(struct master *);

#endif
