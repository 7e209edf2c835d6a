/*
 * Refusals, each reason of a worker's said once.
 */
#include "master/refusal.h"

#include <stdio.h>

#include "base/log.h"
#include "master/master.h"

/* A reason that is another one each time is said so often. */
#define SAID_MAX 3u

/* FNV-1a: the reason last said, in a word. */
static uint64_t
hash(const char *text)
{
	uint64_t h = 0xcbf29ce484222325;

	for (; *text != '\0'; text++)
		h = (h ^ (unsigned char)*text) * 0x100000001b3;
	return h;
}

void
refusal_note(struct pool *p, struct child *donor, const char *why)
{
	struct succession *s = &p->succession;
	uint64_t reason = hash(why);
	char name[96];

	snprintf(s->last_refusal, sizeof(s->last_refusal), "%s", why);
	s->refusals++;
	s->refusers += donor->refusals == 0;
	donor->unsafe = true;
	donor->refusals++;
	if (donor->refused_for == reason || donor->refusals_said == SAID_MAX)
		return;
	donor->refused_for = reason;
	donor->refusals_said++;
	s->refusals_said++;
	log_warn("%s refuses to be promoted: %s",
	    child_name(donor, name, sizeof(name)), why);
}

bool
refusal_known(const struct child *c)
{
	return c->refusals > 0;
}

void
refusal_reset(struct pool *p)
{
	uint32_t i;

	p->succession.refusals = 0;
	p->succession.refusers = 0;
	p->succession.refusals_said = 0;
	p->succession.last_refusal[0] = '\0';
	for (i = 0; i < 2 * p->slots; i++) {
		p->children[i].refusals = 0;
		p->children[i].refusals_said = 0;
		p->children[i].refused_for = 0;
	}
}

void
refusal_summary(struct pool *p)
{
	const struct succession *s = &p->succession;

	if (s->refusals == s->refusals_said)
		return;
	log_warn("the promotion to gen=%u was refused %u times by %u workers, "
		 "at last: %s",
	    s->generation, s->refusals, s->refusers, s->last_refusal);
}
