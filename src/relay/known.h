/*
 * known.h - what a server has had registered in the editor, and the progress
 * bars it has made there. A new worker does so once more; the editor is not
 * asked twice.
 *
 * Runs in:    reforkctl
 * Owns:       its entries, until known_fini
 * After fork: does not fork
 * Raises:     never
 */
#ifndef RELAY_KNOWN_H
#define RELAY_KNOWN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct known {
	/*
	 * {"method", "options", "editor", "worker", "number"}: a registration,
	 * its id for the editor, for the worker, and which worker's it is.
	 */
	json_t *registrations;
	/* {"token", "number", "live", "mute"} */
	json_t *tokens;
};

int known_init(struct known *); /* 0, -ENOMEM */
void known_fini(struct known *);

/*
 * client/registerCapability of worker `number`: what the editor has not been
 * told yet by an earlier one. A new array, empty when nothing is new; NULL = no
 * memory, or params is nothing of that kind.
 */
json_t *known_register(struct known *, const json_t *params, uint64_t number);
/* client/unregisterCapability: new params, with the ids the editor knows. */
json_t *known_unregister(struct known *, const json_t *params);

/* window/workDoneProgress/create: true = it is there since another worker. */
bool known_token(struct known *, const json_t *token, uint64_t number);
/* $/progress: may the editor hear it? */
bool known_progress(struct known *, const json_t *params);
/* The worker has gone: its progress ends. 0, -ENOMEM. */
int known_end_progress(struct known *, struct buf *to_editor);

#endif
